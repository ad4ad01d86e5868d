/** Cuts text into deltas of a few characters, never inside a surrogate pair; the parts joined give the text back. */
export function toDeltas(text: string): string[] {
  const words = text.match(/\S+\s*|\s+/gu) ?? [];
  return words.flatMap((word) => (word.length <= 24 ? [word] : chunk([...word], 20)));
}

function chunk(characters: string[], size: number): string[] {
  const parts = [];
  for (let start = 0; start < characters.length; start += size)
    parts.push(characters.slice(start, start + size).join(""));
  return parts;
}
