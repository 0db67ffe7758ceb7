const esc = 0x1b;
const bel = 0x07;
/** The first UTF-8 byte of the C1 control characters. Each of them is equivalent to ESC and a letter. */
const c1 = 0xc2;
/** CAN and SUB, which cancel a control sequence. */
const cancels: ReadonlySet<number> = new Set([0x18, 0x1a]);

/** Private modes (DECSET) that are off by default on every terminal, and that disturb the next program if they stay on. */
const defaultOffModes: ReadonlySet<string> = new Set([
  ...["1", "66"], // application mode of the cursor keys and of the keypad
  ...["5", "6", "69"], // reverse video, origin mode, left and right margins
  ...["47", "1047", "1049"], // the alternate screen
  ...["9", "1000", "1001", "1002", "1003", "1004", "1005", "1006", "1015", "1016"], // mouse and focus reports
  ...["2004", "2026", "2031", "2048"], // bracketed paste, synchronized output, reports of colours and of the size
]);

/** Private modes that are on by default on every terminal: line wrapping and the cursor. */
const defaultOnModes: ReadonlySet<string> = new Set(["7", "25"]);

/** The default character set for each character after ESC that selects one. `%` selects UTF-8 or Latin-1. */
const defaultCharsets: Readonly<Record<string, string>> = { "(": "B", ")": "B", "*": "B", "+": "B", "%": "G" };

/** The longest control sequence that is parsed. Sequences that set modes are shorter. */
const maxLength = 256;

/**
 * The state of the parser: outside of sequences, after ESC, after the first byte of a C1 character, in a control sequence (CSI),
 * before the name of a character set, or in a string such as a title.
 */
type State = "text" | "escape" | "c1" | "control" | "charset" | "string";

/**
 * Parses the output of a program on a terminal, and records the changes of the terminal that the program has not reset. The
 * memory is bounded: it stores only the names of changes, however long the output is and however its sequences are split into
 * chunks.
 */
export class TerminalModes {
  #state: State = "text";
  #sequence = "";
  /** The control sequences that reset each change, in the order of the changes. */
  readonly #changes = new Map<string, string>();

  /** Parses output that is written to the terminal. */
  take(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.#state !== "text" || byte === esc || byte === c1) this.#takeByte(byte);
    }
  }

  /** The control sequences that reset the terminal. Empty if the program has changed nothing, or has reset it itself. */
  get reset(): string {
    // The terminator of a string, such as a title, also ends any other sequence.
    const ending = this.#state === "text" || this.#state === "c1" ? "" : "\x1b\\";
    return ending + [...this.#changes.values()].reverse().join("");
  }

  #takeByte(byte: number): void {
    if (byte === esc) this.#state = "escape";
    else if (cancels.has(byte)) this.#state = "text";
    // Terminals execute other control characters within a sequence, and then continue the sequence.
    else if (byte < 0x20 && this.#state !== "string") return;
    else if (this.#state === "text") this.#state = "c1";
    else if (this.#state === "escape") this.#begin(String.fromCharCode(byte));
    else if (this.#state === "c1") this.#beginC1(byte);
    else if (this.#state === "charset") {
      const original = defaultCharsets[this.#sequence] as string;
      const isChanged = String.fromCharCode(byte) !== original;
      this.#record(`charset ${this.#sequence}`, isChanged, `\x0f\x1b${this.#sequence}${original}`);
      this.#state = "text";
    } else if (this.#state === "string") {
      if (byte === bel) this.#state = "text";
    } else if (byte >= 0x40 && byte < 0x7f) {
      this.#state = "text";
      if (this.#sequence.length < maxLength) this.#control(this.#sequence, String.fromCharCode(byte));
    } else if (this.#sequence.length < maxLength) this.#sequence += String.fromCharCode(byte);
  }

  #beginC1(byte: number): void {
    if (byte >= 0x80 && byte < 0xa0) this.#begin(String.fromCharCode(byte - 0x40));
    else this.#state = "text";
  }

  /** Handles the character after ESC. */
  #begin(letter: string): void {
    this.#sequence = "";
    if (letter === "[") this.#state = "control";
    else if ("]PX^_".includes(letter)) this.#state = "string";
    else if (letter in defaultCharsets) {
      this.#state = "charset";
      this.#sequence = letter;
    } else {
      this.#state = "text";
      if (letter === "=" || letter === ">") this.#record("keypad", letter === "=", "\x1b>");
      // A full reset of the terminal.
      if (letter === "c") this.#changes.clear();
    }
  }

  #control(parameters: string, final: string): void {
    const [, prefix = "", list = "", suffix = ""] = /^([<-?]?)([\d;:]*)([ -/]*)$/.exec(parameters) ?? [];
    const isPlain = /^0*$/.test(list);
    switch (prefix + suffix + final) {
      case "?h":
      case "?l":
        for (const mode of list.split(";")) this.#privateMode(String(Number(mode)), final === "h");
        break;
      case "h":
      case "l":
        if (list === "4") this.#record("insert", final === "h", "\x1b[4l");
        break;
      case "m":
        this.#record("attributes", !/^[0;]*$/.test(list), "\x1b[0m");
        break;
      case ">m":
        this.#record("modifyOtherKeys", /^4;0*[1-9]/.test(list), "\x1b[>4m");
        break;
      case ">u":
      case "=u":
        this.#record("keyboard", !(prefix === "=" && isPlain), "\x1b[=0u\x1b[<9u");
        break;
      case "<u":
        this.#changes.delete("keyboard");
        break;
      case "r":
        // Resetting the region also moves the cursor, so its position is saved and restored.
        this.#record("region", !isPlain, "\x1b7\x1b[r\x1b8");
        break;
      case " q":
        this.#record("cursor", !isPlain, "\x1b[0 q");
        break;
    }
  }

  #privateMode(mode: string, isOn: boolean): void {
    if (defaultOffModes.has(mode)) this.#record(`?${mode}`, isOn, `\x1b[?${mode}l`);
    else if (defaultOnModes.has(mode)) this.#record(`?${mode}`, !isOn, `\x1b[?${mode}h`);
  }

  #record(name: string, isChanged: boolean, reset: string): void {
    this.#changes.delete(name);
    if (isChanged) this.#changes.set(name, reset);
  }
}
