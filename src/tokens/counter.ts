import type { ResponsesBody } from "../canonical/request.ts";
import { createCorrection } from "./correction.ts";
import { measure } from "./measure.ts";
import { roughTokenizer, type Tokenizer } from "./tokenizer.ts";

/** Counts what a request will cost, and learns from what upstream says it did cost. */
export interface TokenCounter {
  /** The exact tokenizer once it is loaded, a rough one until then. */
  readonly tokenizer: Tokenizer;
  /** Starts to load the tokenizer; never throws. */
  warm(): void;
  /** Input tokens of a body, by the tokenizer, corrected by the model's real usage. */
  count(body: ResponsesBody): Promise<number>;
  /** The same without the tokenizer, from lengths only: microseconds, for an answer's first event. */
  estimate(body: ResponsesBody): number;
  /** Tells what upstream counted for a body that was sent to `model`. */
  learn(model: string, body: ResponsesBody, inputTokens: number): void;
}

/** Texts beyond so many characters are counted by sample: the loop must not stand still for a count. */
const EXACT_CHARS = 400_000;
const SAMPLE_CHARS = 40_000;
/** Bodies up to this size teach the exact count; larger ones would cost more than they tell. */
const LEARN_CHARS = 60_000;
/** The first answers all teach, later ones one in so many: the ratio hardly moves any more, and counting is not free. */
const LEARN_ALWAYS = 8;
const LEARN_ONE_IN = 16;

/** @param load gives the tokenizer; called once, on first need. */
export function createTokenCounter(load: () => Promise<Tokenizer>): TokenCounter {
  let tokenizer: Tokenizer = roughTokenizer;
  let loading: Promise<void> | undefined;
  const exact = createCorrection();
  const rough = createCorrection();
  let answers = 0;

  /** A tokenizer that cannot be loaded leaves the rough one in place: a count is never worth a failed request. */
  const ready = (): Promise<void> => {
    loading ??= load().then(
      (loaded) => {
        tokenizer = loaded;
      },
      () => {},
    );
    return loading;
  };

  const estimateRaw = (body: ResponsesBody): number => {
    const { texts, fixed } = measure(body);
    let chars = 0;
    for (const text of texts) chars += text.length;
    return fixed + Math.ceil(chars / 4);
  };

  return {
    get tokenizer() {
      return tokenizer;
    },
    warm() {
      void ready();
    },
    async count(body) {
      await ready();
      const { texts, fixed } = measure(body);
      return exact.apply(body.model, fixed + countTexts(texts, tokenizer));
    },
    estimate: (body) => rough.apply(body.model, estimateRaw(body)),
    learn(model, body, inputTokens) {
      if (answers++ >= LEARN_ALWAYS && answers % LEARN_ONE_IN !== 0) return;
      const estimated = estimateRaw(body);
      for (const name of new Set([model, body.model])) rough.learn(name, estimated, inputTokens);
      if (tokenizer === roughTokenizer || estimated * 4 > LEARN_CHARS) return;
      const { texts, fixed } = measure(body);
      const counted = fixed + countTexts(texts, tokenizer);
      for (const name of new Set([model, body.model])) exact.learn(name, counted, inputTokens);
    },
  };
}

function countTexts(texts: readonly string[], tokenizer: Tokenizer): number {
  let total = 0;
  let chars = 0;
  for (const text of texts) {
    const room = EXACT_CHARS - chars;
    chars += text.length;
    if (text.length <= Math.max(room, SAMPLE_CHARS)) total += tokenizer.count(text);
    else total += sampled(text, tokenizer);
  }
  return total;
}

/** Counts slices from the whole length of a long text and scales up. */
function sampled(text: string, tokenizer: Tokenizer): number {
  const slices = 8;
  const length = Math.floor(SAMPLE_CHARS / slices);
  const stride = (text.length - length) / (slices - 1);
  let counted = 0;
  for (let slice = 0; slice < slices; slice++) {
    const from = Math.floor(slice * stride);
    counted += tokenizer.count(text.slice(from, from + length));
  }
  return Math.ceil((counted / (length * slices)) * text.length);
}
