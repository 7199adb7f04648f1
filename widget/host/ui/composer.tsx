// Where messages are written and videos chosen.
import { useRef, useState } from 'preact/hooks';
import type { Outbox } from '../matrix/outbox';
import { ClipIcon, SendIcon } from './icons';

export function Composer({ outbox, disabled }: { outbox: Outbox; disabled: boolean }) {
  const [text, setText] = useState('');
  const files = useRef<HTMLInputElement>(null);

  const submit = (event: Event): void => {
    event.preventDefault();
    if (text.trim() === '') return;
    outbox.sendText(text);
    setText('');
  };
  const choose = ({ currentTarget: input }: { currentTarget: HTMLInputElement }): void => {
    for (const file of input.files ?? []) outbox.sendFile(file);
    // The same file may be chosen again.
    input.value = '';
  };

  return (
    <form class="composer" onSubmit={submit}>
      <input class="composer-files" type="file" accept="video/*" multiple data-testid="file-input" aria-label="Videos to send" tabIndex={-1} ref={files} disabled={disabled} onChange={choose} />
      <button type="button" class="icon-button" aria-label="Send a video" title="Send a video" data-testid="attach" disabled={disabled} onClick={() => files.current?.click()}>
        <ClipIcon />
      </button>
      <input
        class="composer-text"
        type="text"
        data-testid="composer"
        aria-label="Message"
        placeholder="Message"
        autocomplete="off"
        value={text}
        disabled={disabled}
        onInput={({ currentTarget: { value } }) => setText(value)}
      />
      <button type="submit" class="icon-button composer-send" aria-label="Send" title="Send" data-testid="send" disabled={disabled || text.trim() === ''}>
        <SendIcon />
      </button>
    </form>
  );
}
