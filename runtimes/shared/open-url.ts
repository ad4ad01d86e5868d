const OPENERS: Record<string, readonly string[]> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};

/** Time in which a missing or failing opener shows; a browser that is still running after it counts as opened. */
const GRACE_MS = 1_500;

/** Shows a page in the user's browser; false when there is none to show it in. */
export async function openUrl(url: string): Promise<boolean> {
  const { spawn } = await import("node:child_process");
  const [file = "xdg-open", ...args] = OPENERS[process.platform] ?? ["xdg-open"];
  return new Promise((resolve) => {
    const child = spawn(file, [...args, url], { detached: true, stdio: "ignore" });
    const timer = setTimeout(() => resolve(true), GRACE_MS);
    const settle = (opened: boolean): void => {
      clearTimeout(timer);
      resolve(opened);
    };
    child.once("error", () => settle(false));
    child.once("exit", (code) => settle(code === 0));
    child.unref();
  });
}
