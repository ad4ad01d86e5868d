/** The installed command: starts the CLI of the runtime that it finds itself in. */
const { versions } = globalThis.process;

if (versions.bun !== undefined) await import("./bun/main.ts");
else if (versions.deno !== undefined) await import("./deno/main.ts");
else await import("./node/main.ts");
