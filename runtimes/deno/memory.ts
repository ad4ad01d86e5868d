import type { Memory } from "../../src/platform.ts";

export const denoMemory: Memory = {
  resident() {
    try {
      return Deno.memoryUsage().rss;
    } catch {
      return undefined;
    }
  },
  async trim() {
    const { collectGarbage } = await import("../shared/v8-memory.ts");
    collectGarbage();
    trimAllocator ??= findTrimmer();
    trimAllocator();
  },
};

let trimAllocator: (() => void) | undefined;

/**
 * The C library's own way to give back what lies free between what is in use: Deno's buffers come from its allocator, which
 * keeps twenty megabytes and more after a burst. Nothing where there is none (musl, macOS, Windows), or no permission.
 */
function findTrimmer(): () => void {
  try {
    // Without the permission in advance Deno would ask for it on the terminal.
    if (Deno.build.os === "linux" && Deno.permissions.querySync({ name: "ffi" }).state === "granted") {
      const { symbols } = Deno.dlopen("libc.so.6", { malloc_trim: { parameters: ["usize"], result: "i32" } });
      return () => void symbols.malloc_trim(0n);
    }
  } catch {
    // Another C library.
  }
  return () => {};
}
