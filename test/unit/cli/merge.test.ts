import fc from "fast-check";
import { parse as parseToml, stringify as stringifyToml } from "smol-toml";
import { describe, expect, it } from "vitest";
import { mergeJson } from "../../../src/cli/clients/merge-json.ts";
import { mergeToml } from "../../../src/cli/clients/merge-toml.ts";
import { isObject, type JsonObject } from "../../../src/json.ts";

function merged(base: unknown, additions: unknown): unknown {
  if (!isObject(base) || !isObject(additions)) return additions;
  const result: JsonObject = { ...base };
  for (const [key, value] of Object.entries(additions)) {
    result[key] = key in result ? merged(result[key], value) : value;
  }
  return result;
}

describe("mergeJson", () => {
  it.each<[name: string, text: string | undefined, additions: JsonObject, expected: string]>([
    ["no file", undefined, { a: 1 }, '{\n  "a": 1\n}\n'],
    ["an empty file", " \n", { a: 1 }, '{\n  "a": 1\n}\n'],
    ["an empty object", "{}", { a: 1 }, '{\n  "a": 1\n}'],
    ["one line", '{ "a": 1 }', { b: 2 }, '{ "a": 1, "b": 2 }'],
    ["a value that is there", '{"a":1}', { a: 1 }, '{"a":1}'],
    ["a value that is another", '{ "a" : 1 , "b": 2}', { a: "x" }, '{ "a" : "x" , "b": 2}'],
    ["an object for a value", '{"a":1}', { a: { b: 1 } }, '{"a":{\n  "b": 1\n}}'],
    [
      "comments",
      '// top\n{\n  "a": 1 // one\n  /* end */\n}\n',
      { b: 2 },
      '// top\n{\n  "a": 1, // one\n  /* end */\n  "b": 2\n}\n',
    ],
    ["a trailing comma", '{\n\t"a": 1, // one\n}\n', { b: 2 }, '{\n\t"a": 1, // one\n\t"b": 2\n}\n'],
    [
      "objects within",
      '{\n  "env": {\n    "A": "1"\n  },\n  "z": [1, 2]\n}\n',
      { env: { A: "2", B: "3" }, z: [3] },
      '{\n  "env": {\n    "A": "2",\n    "B": "3"\n  },\n  "z": [\n    3\n  ]\n}\n',
    ],
    ["JSON5", "{a: 'it\\'s', \"b\": .5, c: 0x1F,}", { a: "x" }, '{a: "x", "b": .5, c: 0x1F,}'],
    ["an empty object within", '{\n    "a": {}\n}', { a: { b: 1 } }, '{\n    "a": {\n        "b": 1\n    }\n}'],
    ["marks inside texts", '{"a": "// no } comment", "b": 1}', { b: 2 }, '{"a": "// no } comment", "b": 2}'],
  ])("changes what is named and nothing else: %s", (_name, text, additions, expected) => {
    expect(mergeJson(text, additions)).toBe(expected);
  });

  it.each([["[1]"], ['{"a": }'], ['{"a": 1'], ['{"a" 1}'], ['{"a": "x}'], ["{} {}"], ["null"]])(
    "refuses %s",
    (text) => {
      expect(() => mergeJson(text, { a: 1 })).toThrow("cannot be read as JSON at line 1");
    },
  );

  it("means what merging the values means, whatever their form", () => {
    const json = fc.dictionary(
      fc.string({ unit: "grapheme" }).filter((key) => key !== "__proto__"),
      fc.jsonValue(),
      { maxKeys: 5 },
    );
    fc.assert(
      fc.property(json, json, fc.constantFrom(undefined, 2, "\t"), (base, additions, indent) => {
        const text = JSON.stringify(base, null, indent);
        const twice = mergeJson(mergeJson(text, additions), additions);
        expect(JSON.parse(twice)).toEqual(JSON.parse(JSON.stringify(merged(base, additions))));
        expect(twice).toBe(mergeJson(text, additions));
      }),
    );
  });
});

describe("mergeToml", () => {
  const additions = { model: "m", model_providers: { p: { name: "p", base_url: "u" } } };

  it.each<[name: string, text: string | undefined, expected: string]>([
    ["no file", undefined, 'model = "m"\n\n[model_providers.p]\nname = "p"\nbase_url = "u"\n'],
    [
      "comments and other tables",
      '# mine\nmodel = "old" # why\napproval = "never" # yes\n\n# about x\n[x]\ny = 1\n',
      '# mine\nmodel = "m" # why\napproval = "never" # yes\n\n# about x\n[x]\ny = 1\n\n[model_providers.p]\nname = "p"\nbase_url = "u"\n',
    ],
    [
      "a table of its own",
      '[model_providers.p]\nbase_url = "old"\nextra = 1 # keep\n\n[z]\nmodel = "not this one"\n',
      'model = "m"\n\n[model_providers.p]\nbase_url = "u"\nextra = 1 # keep\nname = "p"\n\n[z]\nmodel = "not this one"\n',
    ],
    [
      "brackets in values of several lines",
      'a = [\n  "[x]", # no ] table\n]\nt = """\n[model_providers.p]\n"""\n',
      'a = [\n  "[x]", # no ] table\n]\nt = """\n[model_providers.p]\n"""\nmodel = "m"\n\n[model_providers.p]\nname = "p"\nbase_url = "u"\n',
    ],
    [
      "quoted and dotted keys",
      '"model" = "old"\nmodel_providers."p".name = "old"\nmodel_providers.p.base_url = "old"\n',
      '"model" = "m"\nmodel_providers."p".name = "p"\nmodel_providers.p.base_url = "u"\n',
    ],
  ])("changes what is named and nothing else: %s", (_name, text, expected) => {
    expect(mergeToml(text, additions)).toBe(expected);
    expect(mergeToml(expected, additions)).toBe(expected);
  });

  it.each([
    ["text that is no TOML", "model = \n"],
    ["a table where a value must be", "[model]\n"],
    ["a table written inline", 'model_providers = { p = { name = "old" } }\n'],
    ["a value where a table must be", "model_providers = 1\n"],
  ])("refuses %s", (_name, text) => {
    expect(() => mergeToml(text, additions)).toThrow("put in by hand");
  });

  it("means what merging the values means", () => {
    const key = fc.constantFrom("model", "a", "b-c", "d e", "model_providers");
    const scalar = fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.array(fc.string()));
    const table = fc.dictionary(key, scalar, { maxKeys: 4 });
    const document = fc
      .dictionary(key, fc.oneof(scalar, table), { maxKeys: 5 })
      .filter(({ model, model_providers = {} }) => !isObject(model) && isObject(model_providers));
    fc.assert(
      fc.property(document, (base) => {
        const text = stringifyToml(base);
        const result = mergeToml(text, additions);
        expect(parseToml(result)).toEqual(parseToml(stringifyToml(merged(base, additions))));
      }),
    );
  });
});
