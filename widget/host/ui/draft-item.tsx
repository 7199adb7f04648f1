// A draft that is being sent: its progress, or its error and a retry.
import type { Draft } from '../matrix/outbox';
import { FileBubble } from './file-bubble';

interface DraftItemProps {
  readonly draft: Draft;
  readonly onRetry: () => void;
  readonly onDiscard: () => void;
}

export function DraftItem({ draft, onRetry, onDiscard }: DraftItemProps) {
  const { file, state } = draft;
  return (
    <article class="message" data-testid="draft" data-state={state} data-own="true">
      {file === null ? <p class="bubble bubble-pending">{draft.text}</p> : (
        <FileBubble name={file.name} size={file.size} video={file.type.startsWith('video/')}>
          {state !== 'failed' && <progress max={1} value={draft.progress} aria-label={`Uploading ${file.name}`} />}
        </FileBubble>
      )}
      {state === 'failed' && <p class="problem" role="alert">Not sent: {draft.error}</p>}
      <p class="draft-actions">
        <span role="status">{statusOf(draft)}</span>
        {state === 'failed' && <button type="button" data-testid="retry" onClick={onRetry}>Try again</button>}
        {(state === 'failed' || file !== null) && <button type="button" data-testid="discard" onClick={onDiscard}>{state === 'failed' ? 'Remove' : 'Cancel'}</button>}
      </p>
    </article>
  );
}

function statusOf({ state, progress }: Draft): string {
  switch (state) {
    case 'waiting':
      return 'Waiting…';
    case 'uploading':
      return `Uploading… ${Math.round(progress * 100)} %`;
    case 'sending':
      return 'Sending…';
    case 'failed':
      return '';
  }
}
