import type { SettingName } from "../config/options.ts";
import type { Platform } from "../platform.ts";
import { type Call, type Command, type Flag, flagsOf } from "./command.ts";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";

type Value = boolean | string | string[];

/**
 * A command's arguments, each known and complete: `--flag value`, `--flag=value`, `--flag`, `--no-flag`; the last of
 * several counts unless the flag may be repeated.
 * @throws UsageError.
 */
export function readArguments(platform: Platform, command: Command, args: readonly string[]): Call {
  const flags = flagsOf(command);
  const end = args.indexOf("--");
  const { values, operands } = readFlags(command, flags, end < 0 ? args : args.slice(0, end));
  if (operands.length > 0 && command.operands === undefined) {
    throw new UsageError(`${command.name} takes no argument ${JSON.stringify(operands[0])}${seeHelp(command)}`);
  }
  const given: Partial<Record<SettingName, unknown>> = {};
  for (const { flag, option } of flags) if (option && values.has(flag)) given[option.name] = values.get(flag);
  return {
    platform,
    given,
    isSet: (flag) => values.get(flag) === true,
    text: (flag) => values.get(flag) as string | undefined,
    list: (flag) => (values.get(flag) as string[] | undefined) ?? [],
    operands,
    rest: end < 0 ? undefined : args.slice(end + 1),
  };
}

function readFlags(command: Command, flags: readonly Flag[], args: readonly string[]) {
  const values = new Map<string, Value>();
  const operands: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] as string;
    if (!argument.startsWith("-") || argument === "-") {
      operands.push(argument);
      continue;
    }
    const { flag, negated, inline } = findFlag(command, flags, argument);
    if (flag.kind === "boolean") {
      if (inline !== undefined && !/^(true|false)$/.test(inline)) {
        throw new UsageError(`--${flag.flag} takes no value`);
      }
      values.set(flag.flag, (inline !== "false") !== negated);
      continue;
    }
    const value = inline ?? args[++at];
    if (value === undefined) throw new UsageError(`--${flag.flag} needs a value${seeHelp(command)}`);
    const before = values.get(flag.flag);
    values.set(flag.flag, flag.kind === "list" ? [...(Array.isArray(before) ? before : []), value] : value);
  }
  return { values, operands };
}

function findFlag(command: Command, flags: readonly Flag[], argument: string) {
  const equals = argument.indexOf("=");
  const written = equals < 0 ? argument : argument.slice(0, equals);
  const inline = equals < 0 ? undefined : argument.slice(equals + 1);
  // An alias of one letter, as `logs -f`.
  const name = written.startsWith("--")
    ? written.slice(2)
    : (flags.find(({ flag }) => written.length === 2 && command.name === "logs" && flag[0] === written[1])?.flag ?? "");
  const plain = flags.find(({ flag }) => flag === name);
  if (plain) return { flag: plain, negated: false, inline };
  const negative = flags.find(({ flag, kind, option }) => kind === "boolean" && option && `no-${flag}` === name);
  if (negative && inline === undefined) return { flag: negative, negated: true, inline };
  const guess = nearest(
    name,
    flags.map(({ flag }) => flag),
  );
  const hint = guess === undefined ? "" : `; did you mean --${guess}?`;
  throw new UsageError(`unknown option ${written}${hint || seeHelp(command)}`);
}

const seeHelp = (command: Command): string => `; see codex-api-proxy ${command.name} --help`;
