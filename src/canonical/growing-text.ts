/** Pieces that are held apart before they become one. */
const MAX_PIECES = 256;

/**
 * A text that grows by deltas. Adding each to a string makes a rope with a node a delta, several times the size of the text
 * and in the way of every garbage collection; here runs of deltas become flat strings.
 */
export class GrowingText {
  #text = "";
  #pieces: string[] = [];

  add(piece: string): void {
    this.#pieces.push(piece);
    if (this.#pieces.length >= MAX_PIECES) this.toString();
  }

  toString(): string {
    if (this.#pieces.length > 0) {
      this.#text += this.#pieces.join("");
      this.#pieces = [];
    }
    return this.#text;
  }
}
