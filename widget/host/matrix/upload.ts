// Uploads a file. XMLHttpRequest, because fetch reports no progress of an upload.
import { errorOf, unreachable, type Homeserver } from './homeserver';

/** Uploads and returns the response's JSON; `onProgress` gets the share that is sent (0 to 1). Rejects with MatrixError, or AbortError. */
export function upload<T>(homeserver: Homeserver, path: string, file: File, onProgress: (share: number) => void, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', homeserver.url(path, { filename: file.name }));
    if (homeserver.accessToken !== null) request.setRequestHeader('Authorization', `Bearer ${homeserver.accessToken}`);
    request.setRequestHeader('Content-Type', mimetypeOf(file));
    request.responseType = 'json';
    request.upload.onprogress = (event) => onProgress(event.total === 0 ? 0 : event.loaded / event.total);
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
    request.onload = () => {
      if (request.status === 200 && request.response !== null) resolve(request.response as T);
      else reject(errorOf(request.status, request.response));
    };
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

/** The browser does not know every kind of file. */
export const mimetypeOf = (file: File): string => file.type || 'application/octet-stream';
