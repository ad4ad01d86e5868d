/** One usage window of the plan, as upstream states it. */
export interface QuotaWindow {
  /** 0…100. */
  usedPercent: number;
  /** Length of the window in minutes: 300 or 10080 on paid plans. */
  windowMinutes: number | undefined;
  /** Epoch seconds. */
  resetsAt: number | undefined;
}

/** The plan's windows as last seen in traffic. */
export interface QuotaSnapshot {
  planType: string | undefined;
  primary: QuotaWindow | undefined;
  secondary: QuotaWindow | undefined;
  credits: { hasCredits: boolean; unlimited: boolean; balance: string | undefined } | undefined;
  limitReached: boolean | undefined;
  /** Epoch ms at which upstream said so. */
  seenAt: number;
}
