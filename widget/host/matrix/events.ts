// The parts of the homeserver's responses that this page reads. An event's content is untrusted: unknown until it is validated.

export type Content = Readonly<Record<string, unknown>>;

export interface MatrixEvent {
  readonly type: string;
  readonly event_id: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: Content;
  readonly state_key?: string;
  readonly redacts?: string;
  readonly unsigned?: {
    readonly transaction_id?: string;
    readonly prev_content?: Content;
    readonly redacted_because?: unknown;
  };
}

export interface JoinedRoom {
  readonly state?: { readonly events?: readonly MatrixEvent[] };
  readonly timeline?: { readonly events?: readonly MatrixEvent[]; readonly limited?: boolean };
}

export interface RelationsResponse {
  readonly chunk: readonly MatrixEvent[];
  readonly next_batch?: string;
  readonly prev_batch?: string;
}

export interface SyncResponse {
  readonly next_batch: string;
  readonly rooms?: {
    readonly join?: Readonly<Record<string, JoinedRoom | undefined>>;
    readonly leave?: Readonly<Record<string, JoinedRoom | undefined>>;
  };
}

export const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
export const numberOf = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
export const recordOf = (value: unknown): Content => (typeof value === 'object' && value !== null ? (value as Content) : {});
