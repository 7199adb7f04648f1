// Uploads a file. XMLHttpRequest, because fetch reports no progress of an upload.
import { errorOf, unreachable, type Homeserver } from './homeserver';

/** Uploads and returns the `mxc://` URI; `onProgress` gets the share that is sent (0 to 1). Rejects with MatrixError, or AbortError. */
export function upload(homeserver: Homeserver, file: File, onProgress: (share: number) => void, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', homeserver.url('/_matrix/media/v3/upload', { filename: file.name }));
    request.setRequestHeader('Authorization', `Bearer ${homeserver.accessToken ?? ''}`);
    request.setRequestHeader('Content-Type', mimetypeOf(file));
    request.responseType = 'json';
    request.upload.onprogress = (event) => onProgress(event.total === 0 ? 0 : event.loaded / event.total);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
    request.onload = () => {
      const body = request.response as { content_uri?: string } | null;
      if (request.status === 200 && body?.content_uri !== undefined) resolve(body.content_uri);
      else reject(errorOf(request.status, body));
    };
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

/** The browser does not know every kind of file. */
export const mimetypeOf = (file: File): string => file.type || 'application/octet-stream';
