// Beside or below the video: the members, and one of the views (list, talk about what plays, record).
import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Encryption } from '../core/model';
import type { Entry, Selection, State } from '../core/state';
import { Store } from '../core/store';
import type { Playback } from '../player/playback';
import { recordingStatus } from '../record/status';
import { CameraIcon, TalkIcon } from './icons';
import { lazy } from './lazy';
import { Members } from './members';
import { panelView, type View } from '../visit/panel-view';
import { useOthers, type ViewProps } from './panel-view';
import { useRoving } from './roving';
import { useText } from './text';
import { useStore } from './use-store';
import { useVisit } from './visit';
import { VideoList } from './video-list';

const EncryptionLine = lazy(() => import('./encryption').then((module) => module.EncryptionLine));
const Managing = lazy(() => import('./manage/late').then((module) => module.Managing));

interface PanelProps {
  state: State;
  /** Null while there is nothing to list. */
  selection: Selection | null;
  /** Null where there is nothing to say of it. */
  encryption: Encryption | null;
  playback: Playback;
  /** What plays. */
  entry: Entry | null;
}

interface OtherView {
  readonly label: string;
  readonly icon: ComponentChildren;
  /** What goes on in it while it is closed, as the end of a text `label-…`; null when nothing does. */
  readonly mark?: Store<string | null>;
  readonly Part: ComponentType<ViewProps>;
  /** On its button: what is new there. `id` is for the words that describe it. */
  readonly Badge?: ComponentType<{ entry: Entry | null; id: string }>;
}

/** Their code is fetched when they are opened. */
const VIEWS: Partial<Record<View, OtherView>> = {
  talk: {
    label: 'widget-talk',
    icon: <TalkIcon />,
    Part: lazy(() => import('./talk').then((module) => module.TalkView)),
    Badge: lazy(() => import('./talk').then((module) => module.TalkBadge)),
  },
  record: {
    label: 'widget-record',
    icon: <CameraIcon />,
    mark: recordingStatus,
    Part: lazy(() => import('./record/view').then((module) => module.RecordView)),
  },
};
/** Takes what is dropped on the widget. */
const Inlet = lazy(() => import('./record/inlet').then((module) => module.Inlet));
const SignOut = lazy(() => import('./sign-out').then((module) => module.SignOut));

const UNMARKED = new Store<string | null>(null);

interface ToolProps {
  name: View;
  tool: OtherView;
  entry: Entry | null;
  open: boolean;
  onPress: () => void;
}

function Tool({ name, tool: { label, icon, mark: marks = UNMARKED, Badge }, entry, open, onPress }: ToolProps) {
  const t = useText();
  const mark = useStore(marks);
  const title = t(mark === null ? label : `${label}-${mark}`);
  const news = Badge === undefined ? undefined : `new-in-${name}`;
  return (
    <button type="button" class="icon-button tool" aria-label={title} title={title} aria-describedby={news} aria-pressed={open} data-testid={name} data-mark={mark ?? undefined} onClick={onPress}>
      {icon}
      {Badge !== undefined && <Badge entry={entry} id={`new-in-${name}`} />}
    </button>
  );
}

function Tools({ view, entry, onView }: { view: View; entry: Entry | null; onView: (view: View) => void }) {
  const others = useOthers();
  return (
    <>
      {others.map((name) => {
        const tool = VIEWS[name];
        return tool && <Tool key={name} name={name} tool={tool} entry={entry} open={view === name} onPress={() => onView(view === name ? 'videos' : name)} />;
      })}
      {others.includes('record') && <Inlet onOpen={() => onView('record')} />}
    </>
  );
}

export function Panel({ state, selection, encryption, playback, entry }: PanelProps) {
  const t = useText();
  const visit = useVisit();
  const view = useStore(panelView);
  const setView = (next: View): void => panelView.set(next);
  useEffect(() => () => panelView.set('videos'), []);
  const tools = useRef<HTMLDivElement>(null);
  useRoving(tools, 'button');
  const Other = VIEWS[view]?.Part;
  return (
    <div class="panel" data-view={view}>
      <div class="panel-head">
        <Members state={state} onSelect={(key) => visit.select(key)} />
        <div class="tools" role="toolbar" aria-label={t('widget-tools')} ref={tools}>
          <Tools view={view} entry={entry} onView={setView} />
          {visit.browser !== null && <SignOut />}
        </div>
      </div>
      {Other !== undefined && <Other entry={entry} onClose={() => setView('videos')} />}
      {Other === undefined && selection !== null && <VideoList key={selection.key} selection={selection} playback={playback} onPick={(picked) => visit.pick(picked)} />}
      {Other === undefined && encryption !== null && <EncryptionLine encryption={encryption} />}
      {selection !== null && <Managing />}
    </div>
  );
}
