import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../fixtures/upstream/", import.meta.url);

/** Text of a file under test/fixtures/upstream. */
export function readFixture(path: string): string {
  return readFileSync(fileURLToPath(new URL(path, FOLDER)), "utf8");
}

/** Parsed JSON of a file under test/fixtures/upstream. */
export function readFixtureJson(path: string): unknown {
  return JSON.parse(readFixture(path));
}
