/** What the doctor found at one step, as a rule judges it. Whatever is not good says what to do. */
export type Judgement =
  | { readonly state: 'good' | 'skipped'; readonly what: string }
  /** `attention`: it works, but not for long or not as it should. */
  | { readonly state: 'attention' | 'wrong'; readonly what: string; readonly remedy: string };

export type Finding = Judgement & {
  /** `relay`, or the workspace's name. */
  readonly subject: string;
  /** Such as `data: tls`. */
  readonly step: string;
  readonly tookMs: number;
};

export const good = (what: string): Judgement => ({ state: 'good', what });
export const skipped = (what: string): Judgement => ({ state: 'skipped', what });
export const attention = (what: string, remedy: string): Judgement => ({ state: 'attention', what, remedy });
export const wrong = (what: string, remedy: string): Judgement => ({ state: 'wrong', what, remedy });

/** Takes down what is found about one subject, each step with its time. */
export interface Notes {
  /** Gathers the facts of a step, has the rule judge them, and gives both. */
  step<Facts>(step: string, gather: () => Promise<Facts>, judge: (facts: Facts) => Judgement): Promise<{ readonly facts: Facts; readonly isGood: boolean }>;
  readonly findings: readonly Finding[];
}

export function createNotes(subject: string): Notes {
  const findings: Finding[] = [];
  return {
    findings,
    async step(step, gather, judge) {
      const startedAt = performance.now();
      const facts = await gather();
      const judgement = judge(facts);
      findings.push({ subject, step, tookMs: Math.round(performance.now() - startedAt), ...judgement });
      return { facts, isGood: judgement.state !== 'wrong' };
    },
  };
}

/** The state of the worst finding. */
export function worstOf(findings: readonly Finding[]): 'good' | 'attention' | 'wrong' {
  const has = (state: Finding['state']): boolean => findings.some((finding) => finding.state === state);
  if (has('wrong')) return 'wrong';
  return has('attention') ? 'attention' : 'good';
}
