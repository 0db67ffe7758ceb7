const esc = 0x1b;
const bel = 0x07;
/** The first byte, in UTF-8, of the control characters that stand for ESC and a letter (C1). */
const c1 = 0xc2;
/** CAN and SUB, which break a control sequence off. */
const breaks: ReadonlySet<number> = new Set([0x18, 0x1a]);

/** Private modes (DECSET) that programs turn on, and that disturb whoever uses the terminal next. Off on every terminal. */
const offModes: ReadonlySet<string> = new Set([
  ...["1", "66"], // application mode of the cursor keys and of the keypad
  ...["5", "6", "69"], // reverse video, origin mode, margins left and right
  ...["47", "1047", "1049"], // the alternate screen
  ...["9", "1000", "1001", "1002", "1003", "1004", "1005", "1006", "1015", "1016"], // reports of mouse and focus
  ...["2004", "2026", "2031", "2048"], // bracketed paste, held back output, reports of colours and of the size
]);

/** The same, but on at every terminal: line wrapping and the cursor. */
const onModes: ReadonlySet<string> = new Set(["7", "25"]);

/** Character sets by the letters behind ESC that choose them: the letter of the usual one. `%` chooses UTF-8 or Latin-1. */
const usualCharsets: Readonly<Record<string, string>> = { "(": "B", ")": "B", "*": "B", "+": "B", "%": "G" };

/** The longest control sequence that is parsed. Those that set modes are shorter. */
const maxLength = 256;

/**
 * Where a byte stands: between sequences, behind ESC or the first byte of a C1 character, in a control sequence (CSI), before the
 * name of a character set, in a string such as a title.
 */
type Place = "text" | "escape" | "c1" | "control" | "charset" | "string";

/**
 * Follows the output of a program on a terminal, and knows what the program has changed about the terminal and not set back. It
 * remembers a few names, however long the output is and however its sequences are cut into chunks.
 */
export class TerminalModes {
  #place: Place = "text";
  #sequence = "";
  /** What sets each change back, in the order of the changes. */
  readonly #changes = new Map<string, string>();

  /** Takes what is written to the terminal. */
  take(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.#place !== "text" || byte === esc || byte === c1) this.#takeByte(byte);
    }
  }

  /** What sets the terminal back. Empty for a program that has cleaned up, or changed nothing. */
  get reset(): string {
    // The end of a string, such as a title, ends any other sequence as well.
    const ending = this.#place === "text" || this.#place === "c1" ? "" : "\x1b\\";
    return ending + [...this.#changes.values()].reverse().join("");
  }

  #takeByte(byte: number): void {
    if (byte === esc) this.#place = "escape";
    else if (breaks.has(byte)) this.#place = "text";
    // Terminals obey other control characters within a sequence, and the sequence goes on.
    else if (byte < 0x20 && this.#place !== "string") return;
    else if (this.#place === "text") this.#place = "c1";
    else if (this.#place === "escape") this.#begin(String.fromCharCode(byte));
    else if (this.#place === "c1") this.#beginC1(byte);
    else if (this.#place === "charset") {
      const usual = usualCharsets[this.#sequence] as string;
      const isChanged = String.fromCharCode(byte) !== usual;
      this.#note(`charset ${this.#sequence}`, isChanged, `\x0f\x1b${this.#sequence}${usual}`);
      this.#place = "text";
    } else if (this.#place === "string") {
      if (byte === bel) this.#place = "text";
    } else if (byte >= 0x40 && byte < 0x7f) {
      this.#place = "text";
      if (this.#sequence.length < maxLength) this.#control(this.#sequence, String.fromCharCode(byte));
    } else if (this.#sequence.length < maxLength) this.#sequence += String.fromCharCode(byte);
  }

  #beginC1(byte: number): void {
    if (byte >= 0x80 && byte < 0xa0) this.#begin(String.fromCharCode(byte - 0x40));
    else this.#place = "text";
  }

  /** What follows ESC. */
  #begin(letter: string): void {
    this.#sequence = "";
    if (letter === "[") this.#place = "control";
    else if ("]PX^_".includes(letter)) this.#place = "string";
    else if (letter in usualCharsets) {
      this.#place = "charset";
      this.#sequence = letter;
    } else {
      this.#place = "text";
      if (letter === "=" || letter === ">") this.#note("keypad", letter === "=", "\x1b>");
      // The terminal is as if it had been turned off and on.
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
        if (list === "4") this.#note("insert", final === "h", "\x1b[4l");
        break;
      case "m":
        this.#note("attributes", !/^[0;]*$/.test(list), "\x1b[0m");
        break;
      case ">m":
        this.#note("modifyOtherKeys", /^4;0*[1-9]/.test(list), "\x1b[>4m");
        break;
      case ">u":
      case "=u":
        this.#note("keyboard", !(prefix === "=" && isPlain), "\x1b[=0u\x1b[<9u");
        break;
      case "<u":
        this.#changes.delete("keyboard");
        break;
      case "r":
        // It moves the cursor, too.
        this.#note("region", !isPlain, "\x1b7\x1b[r\x1b8");
        break;
      case " q":
        this.#note("cursor", !isPlain, "\x1b[0 q");
        break;
    }
  }

  #privateMode(mode: string, isOn: boolean): void {
    if (offModes.has(mode)) this.#note(`?${mode}`, isOn, `\x1b[?${mode}l`);
    else if (onModes.has(mode)) this.#note(`?${mode}`, !isOn, `\x1b[?${mode}h`);
  }

  #note(name: string, isChanged: boolean, reset: string): void {
    this.#changes.delete(name);
    if (isChanged) this.#changes.set(name, reset);
  }
}
