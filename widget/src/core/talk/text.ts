// Makes text that anybody may have written fit to stand on a page.

/** Text as it may stand on a page: no control characters, no towers of marks, no endless blank lines, not too long. */
export function plain(text: string, longest: number): string {
  // Cut first, so that the rest is quick whatever was sent; and never through a pair of surrogates.
  const cut = text.length > longest ? `${text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
  return cut
    // Halves of characters.
    .replace(/\p{Cs}/gu, '')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    // eslint-disable-next-line no-control-regex -- these are what it is about
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/(\p{M}{4})\p{M}+/gu, '$1')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** Without the quote that older clients put before a reply (`> <@alice:example.org> …`, specification before v1.13). */
export function withoutQuote(body: string): string {
  if (!/^> (\* )?<@/.test(body)) return body;
  const lines = body.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('>'));
  return end < 0 ? '' : lines.slice(end).join('\n');
}
