/** One metric family in Prometheus' text format 0.0.4. */
export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly lines: readonly string[];
}

const PREFIX = "codex_api_proxy_";

/** A family of one sample without labels. */
export function single(name: string, type: "counter" | "gauge", help: string, value: number): Family {
  return { name: PREFIX + name, type, help, lines: [`${PREFIX}${name} ${value}`] };
}

/** A family with one label. */
export function labelled(
  name: string,
  type: "counter" | "gauge",
  help: string,
  label: string,
  values: Iterable<readonly [string, number]>,
): Family {
  const lines = [...values].map(([key, value]) => `${PREFIX}${name}{${label}="${escapeLabel(key)}"} ${value}`);
  return { name: PREFIX + name, type, help, lines };
}

/** A family whose lines are made elsewhere from its full name. */
export function family(
  name: string,
  type: Family["type"],
  help: string,
  lines: (name: string) => readonly string[],
): Family {
  return { name: PREFIX + name, type, help, lines: lines(PREFIX + name) };
}

export function renderFamilies(families: readonly Family[]): string {
  return families
    .map(({ name, type, help, lines }) =>
      [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].map((line) => `${line}\n`).join(""),
    )
    .join("");
}

export function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
