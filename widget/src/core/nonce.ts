// What the widget sends carries a name of its own, so that what arrives twice is known for the same. Pure.

const FIELD = 'chat.roomreel.nonce';
const NONCE = /^[A-Za-z0-9_-]{1,64}$/;

type Content = Readonly<Record<string, unknown>>;

export const withNonce = (content: Content, nonce: string): Content => ({ ...content, [FIELD]: nonce });

/** Null where there is none, or none that we would have made. */
export function nonceOf(content: Content): string | null {
  const nonce = content[FIELD];
  return typeof nonce === 'string' && NONCE.test(nonce) ? nonce : null;
}
