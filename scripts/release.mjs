/**
 * Makes a release:
 *
 *     node scripts/release.mjs patch|minor|major|X.Y.Z[-pre]   checks, sets the version everywhere, commits and tags; pushes nothing
 *
 * For the workflow that publishes the tag:
 *
 *     node scripts/release.mjs --verify-tag vX.Y.Z   fails unless all places say this version
 *     node scripts/release.mjs --notes vX.Y.Z        its section of CHANGELOG.md
 *     node scripts/release.mjs --dist-tag vX.Y.Z     `latest`, or `next` for a pre-release
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-[0-9A-Za-z.-]+)?$/;
const UNRELEASED = "## Unreleased";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const at = (path) => join(root, path);
const read = (path) => readFileSync(at(path), "utf8");
const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();

const [action, argument] = process.argv.slice(2);
try {
  if (action === "--verify-tag") verifyTag(argument);
  else if (action === "--notes") process.stdout.write(`${notesOf(versionOf(argument))}\n`);
  else if (action === "--dist-tag") process.stdout.write(`${versionOf(argument).includes("-") ? "next" : "latest"}\n`);
  else release(nextVersion(action));
} catch (error) {
  process.stderr.write(`ERROR: ${error.message}\n`);
  process.exitCode = 1;
}

function release(version) {
  if (git("status", "--porcelain") !== "") throw new Error("there are uncommitted changes");
  if (git("tag", "--list", `v${version}`) !== "") throw new Error(`there is a tag v${version} already`);
  const changelog = read("CHANGELOG.md");
  if (!changelog.includes(`${UNRELEASED}\n`)) {
    throw new Error(`CHANGELOG.md has no section ${JSON.stringify(UNRELEASED)} that tells what is new`);
  }
  run("npm", "run", "check");
  run("npm", "test");
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(at("CHANGELOG.md"), changelog.replace(UNRELEASED, `## ${version} (${date})`));
  edit("package.json", /("version": ")[^"]+(")/, version);
  edit("src/config/version.ts", /(VERSION = ")[^"]+(")/, version);
  run("npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund");
  run("npm", "pack", "--dry-run");
  git(
    "commit",
    "-q",
    "-m",
    `chore(release): ${version}`,
    "--",
    "CHANGELOG.md",
    "package.json",
    "package-lock.json",
    "src/config/version.ts",
  );
  git("tag", "-a", `v${version}`, "-m", `v${version}`);
  process.stdout.write(`v${version} is committed and tagged; publish it with: git push origin HEAD v${version}\n`);
}

function nextVersion(wish) {
  if (wish !== undefined && VERSION.test(wish)) return wish;
  const [major, minor, patch] = VERSION.exec(current()).slice(1, 4).map(Number);
  const next = {
    major: `${major + 1}.0.0`,
    minor: `${major}.${minor + 1}.0`,
    // A pre-release becomes the release that it announced.
    patch: current().includes("-") ? `${major}.${minor}.${patch}` : `${major}.${minor}.${patch + 1}`,
  };
  if (!Object.hasOwn(next, wish ?? "")) throw new Error("say patch, minor, major or a version");
  return next[wish];
}

function verifyTag(tag) {
  const version = versionOf(tag);
  const places = {
    "package.json": current(),
    "package-lock.json": JSON.parse(read("package-lock.json")).version,
    "src/config/version.ts": /VERSION = "([^"]+)"/.exec(read("src/config/version.ts"))?.[1],
  };
  for (const [place, found] of Object.entries(places)) {
    if (found !== version) throw new Error(`${place} says ${found}, the tag ${tag}`);
  }
  notesOf(version);
}

function notesOf(version) {
  const sections = read("CHANGELOG.md").split(/^(?=## )/m);
  const section = sections.find((one) => one.split(/\s/, 2)[1] === version);
  if (section === undefined) throw new Error(`CHANGELOG.md has no section on ${version}`);
  return section.slice(section.indexOf("\n")).trim();
}

function versionOf(tag) {
  const version = tag?.replace(/^v/, "");
  if (version === undefined || !VERSION.test(version)) throw new Error(`${tag} is no version`);
  return version;
}

function current() {
  return JSON.parse(read("package.json")).version;
}

function edit(path, pattern, version) {
  const text = read(path);
  if (!pattern.test(text)) throw new Error(`${path} names no version`);
  writeFileSync(
    at(path),
    text.replace(pattern, (_all, before, after) => before + version + after),
  );
}

function run(command, ...args) {
  execFileSync(command, args, { cwd: root, stdio: "inherit" });
}
