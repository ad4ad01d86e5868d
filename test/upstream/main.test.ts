import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runtimes } from "../support/runtimes.ts";
import { classicBody, doneItems, parseSse, seatHeaders, textOf } from "./helpers.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
/** Those that run TypeScript as it is. */
const RUNTIMES = runtimes.filter(({ name }) => name === "node24" || name === "bun").map((one) => one.command("")[0]);

async function withProcess(command: string, args: string[], use: (baseUrl: string) => Promise<void>): Promise<void> {
  const child = spawn(command, [main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    await use((JSON.parse(line.toString()) as { chatgptBaseUrl: string }).chatgptBaseUrl);
  } finally {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
}

async function post(baseUrl: string): Promise<string> {
  const response = await fetch(`${baseUrl}/responses`, {
    method: "POST",
    headers: seatHeaders(),
    body: JSON.stringify(classicBody()),
  });
  return response.text();
}

test("there is a runtime to run it", () => {
  expect(RUNTIMES).not.toEqual([]);
});

test.each(RUNTIMES)(
  "%s runs the double as a process, tokens minted elsewhere are good",
  async (runtime) => {
    await withProcess(runtime, [], async (baseUrl) => {
      expect(textOf(doneItems(parseSse(await post(baseUrl))))).toContain("You said: hi");
    });
  },
  20_000,
);

test.each(RUNTIMES)(
  "%s --fast answers the number of deltas asked for",
  async (runtime) => {
    await withProcess(runtime, ["--fast", "--deltas", "7"], async (baseUrl) => {
      const events = parseSse(await post(baseUrl));
      expect(events.filter((event) => event.type === "response.output_text.delta")).toHaveLength(7);
      expect(events.at(-1)?.type).toBe("response.completed");
    });
  },
  20_000,
);
