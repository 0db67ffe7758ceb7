/** A place in a text. Lines and columns begin with 1. */
export interface TextPosition {
  line: number;
  column: number;
}

/** A fault of a text that makes it, or a part of it, unreadable. */
export interface SourceFault {
  message: string;
  position?: TextPosition | undefined;
  /** Whether the fault is a key that is set twice, of which the later one applies. */
  isRepeatedKey?: boolean | undefined;
}
