import { buildAdapters } from "./adapter-server.ts";

/** Before any test file: several of them run the adapters alone. */
export default buildAdapters;
