// One connection of server-sent events, read by fetch because EventSource cannot send an Authorization header.
import { EventStreamParser, type ServerEvent } from '../core/sse';
import { fetchOk } from './http';

/** Milliseconds of silence (the server says something every 15 s) after which the connection counts as dead. */
const SILENCE = 40_000;

/** Hands over each event until the stream ends, which is normal, or breaks, which rejects. `onOpen` is called when it is connected. */
export async function readEvents(
  path: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  onOpen: () => void,
  onEvent: (event: ServerEvent) => void,
): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE);
  try {
    const response = await fetchOk(path, {
      headers: { ...headers, accept: 'text/event-stream' },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    onOpen();
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventStreamParser();
    for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
      parser.push(piece.value).forEach(onEvent);
    }
  } finally {
    clearTimeout(timer);
  }
}
