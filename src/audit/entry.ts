/** What happened, for the audit log. Nothing secret goes in: no key, token, password or record. */
export interface AuditEvent {
  /**
   * Who did it: an operator (the name of the account at the socket), an agent (its id), or the relay itself; in a local workspace also the holder
   * of an access token or a support person (name and id).
   */
  readonly actor: { readonly kind: 'operator' | 'agent' | 'system' | 'token' | 'support'; readonly name: string };
  /** What, as `noun.verb`: `agent.approve`, `enrolment-key.create`, `cache.purge`, `sign-in.fail` … */
  readonly action: string;
  /** On what: an agent's id, a key's name, a workspace, a solution. */
  readonly on: string;
  /** From where: an address, or `socket`. */
  readonly from: string;
  readonly result: 'done' | 'refused' | 'failed';
  /** The rest, in a few words. */
  readonly detail?: string | undefined;
}

/** Enters what happened. Returns once it is on disk; never throws: an entry that cannot be written is logged as an error and counted. */
export type EnterAudit = (event: AuditEvent) => void;
