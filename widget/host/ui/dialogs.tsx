// The client's prompt about the widget, over the page.
import { useEffect, useState } from 'preact/hooks';
import { useStore } from '../../src/ui/use-store';
import type { Kind, Prompt, Prompts } from '../matrix/prompts';

const WORDS: Readonly<Record<Kind, { title: string; text: string; yes: string; no: string; remembers: boolean }>> = {
  load: { title: 'Load this widget?', text: 'It was added by somebody else, and learns your display name, user id and theme.', yes: 'Continue', no: 'Not now', remembers: true },
  capabilities: { title: 'Approve widget permissions', text: 'This widget would like to:', yes: 'Approve', no: 'Decline all', remembers: true },
  identity: { title: 'Allow this widget to verify your identity', text: 'It learns your user id, and cannot act for you.', yes: 'Continue', no: 'Cancel', remembers: false },
};

export function Dialogs({ prompts }: { prompts: Prompts }) {
  const [prompt] = useStore(prompts.open);
  const counts = useStore(prompts.counts);
  useEffect(() => {
    document.body.dataset.asked = JSON.stringify(counts);
  }, [counts]);
  return prompt === undefined ? null : <Dialog key={prompt.id} prompt={prompt} />;
}

function Dialog({ prompt: { kind, details, decide } }: { prompt: Prompt }) {
  const { title, text, yes, no, remembers } = WORDS[kind];
  const [remember, setRemember] = useState(remembers);
  return (
    <div class="dialog-ground">
      <div class="dialog" role="alertdialog" aria-label={title} data-testid="dialog" data-kind={kind}>
        <h2>{title}</h2>
        <p>{text}</p>
        <ul>{details.map((detail) => <li key={detail} data-testid="dialog-detail">{detail}</li>)}</ul>
        <label>
          <input type="checkbox" data-testid="dialog-remember" checked={remember} onChange={({ currentTarget: { checked } }) => setRemember(checked)} />
          Remember my selection for this widget
        </label>
        <div class="dialog-actions">
          <button type="button" class="button" data-testid="dialog-decline" onClick={() => decide({ allowed: [], remember })}>{no}</button>
          <button type="button" class="button" data-testid="dialog-continue" onClick={() => decide({ allowed: details, remember })}>{yes}</button>
        </div>
      </div>
    </div>
  );
}
