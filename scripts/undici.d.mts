import type { Plugin } from "rolldown";

export declare const undiciCore: Plugin;
