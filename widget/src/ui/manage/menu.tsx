// The menu of a row: by mouse, finger and keyboard (WAI-ARIA menu button pattern).
import { useLayoutEffect, useRef } from 'preact/hooks';
import { isToReview } from '../../core/model';
import type { Entry } from '../../core/state';
import { titleFor } from '../names';
import { itemFor } from '../menu-keys';
import { placeMenu, type Point } from '../place-menu';
import { useText } from '../text';
import { closeMenu, type VideoActions } from './video-actions';
import { focusRequest, renaming, reviewing } from './list-state';

interface Item {
  readonly id: string;
  readonly act: () => void;
  /** The focus goes on elsewhere. */
  readonly leaves?: boolean;
  readonly shortcut?: string;
  /** Between two groups there is a line. */
  readonly group?: 'order' | 'reports' | 'end';
}

/** What the viewer may do, in the menu's order. */
function itemsOf(entry: Entry, actions: VideoActions): readonly Item[] {
  const { video } = entry;
  const { can, published, isVideoAvatar } = video;
  const item = (there: boolean, id: string, act: () => void, more: Partial<Item> = {}): readonly Item[] => (there ? [{ id, act, ...more }] : []);
  const move = (where: 'up' | 'down' | 'top' | 'end', shortcut: string): readonly Item[] =>
    item(actions.mayMove(entry, where), `move-${where}`, () => void actions.move(entry, where), { leaves: true, shortcut, group: 'order' });
  return [
    ...item(isToReview(video), 'review', () => reviewing.set({ videoId: video.id, step: 'look' }), { leaves: true }),
    ...item(can.has('rename'), 'rename', () => renaming.set(video.id), { leaves: true, shortcut: 'F2' }),
    ...item(can.has('hide'), 'hide', () => actions.setVisibility(video, 'hidden')),
    ...item(can.has('show'), video.visibility === 'held' ? 'approve' : 'show', () => actions.setVisibility(video, 'shown')),
    ...item(can.has('avatar'), isVideoAvatar ? 'avatar-unset' : 'avatar-set', () => actions.setVideoAvatar(video, !isVideoAvatar)),
    ...item(can.has('publish'), published ? 'unpublish' : 'publish', () => (published ? actions.unpublish(video) : actions.publish(entry))),
    ...item(true, 'copy-link', () => void actions.copyLink(entry)),
    ...move('up', 'Alt+↑'),
    ...move('down', 'Alt+↓'),
    ...move('top', 'Alt+Home'),
    ...move('end', 'Alt+End'),
    ...item(can.has('report'), 'report', () => actions.question.set({ type: 'report', video }), { group: 'reports' }),
    ...item((video.reports ?? 0) > 0, 'dismiss', () => actions.dismissReports(video), { group: 'reports' }),
    ...item(can.has('block') && !actions.isOwn(entry), 'block', () => reviewing.set({ videoId: video.id, step: 'block' }), { leaves: true, group: 'end' }),
    ...item(can.has('delete'), 'delete', () => actions.delete(entry), { leaves: true, shortcut: 'Del', group: 'end' }),
  ];
}

/** Beside its button, or at the point. */
function place(menu: HTMLElement, at: Point | null, videoId: string): void {
  const button = document.querySelector(`.row[data-video-id="${CSS.escape(videoId)}"] .row-more`)?.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const start = getComputedStyle(menu).direction === 'rtl' ? (button?.left ?? 0) : (button?.right ?? 0) - width;
  const below = (button?.bottom ?? 0) + 2;
  const fits = below + height < innerHeight;
  placeMenu(menu, at ?? { x: start, y: fits ? below : (button?.top ?? 0) - height - 2 });
}

interface MenuProps {
  entry: Entry;
  at: Point | null;
  actions: VideoActions;
}

export function Menu({ entry, at, actions }: MenuProps) {
  const t = useText();
  const menu = useRef<HTMLDivElement>(null);
  const left = useRef(false);
  const { video } = entry;
  const buttons = (): HTMLElement[] => [...(menu.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
  useLayoutEffect(() => {
    if (menu.current === null) return undefined;
    menu.current.showPopover();
    place(menu.current, at, video.id);
    buttons()[0]?.focus({ preventScroll: true });
    const gone = (): void => closeMenu();
    window.addEventListener('resize', gone);
    return () => window.removeEventListener('resize', gone);
  }, []);
  // A layout effect: an ordinary one may not have begun yet when the menu goes at once, and its clean-up would be missed.
  useLayoutEffect(() => () => {
    if (!left.current) focusRequest.set({ videoId: video.id, part: 'more' });
  }, []);
  const choose = (item: Item): void => {
    left.current = item.leaves === true;
    closeMenu();
    item.act();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const all = buttons();
    const target = itemFor(event.key, all) ?? (event.key.length === 1 ? nextByLetter(all, event.key) : undefined);
    if (event.key === 'Escape' || event.key === 'Tab') closeMenu();
    else if (target !== undefined) target.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onToggle = ({ newState }: { readonly newState: string }): void => {
    if (newState !== 'closed') return;
    // Pressed beside it: the focus stays where it was pressed.
    if (document.activeElement !== null && document.activeElement !== document.body && !menu.current?.contains(document.activeElement)) left.current = true;
    closeMenu();
  };
  return (
    <div ref={menu} class="row-menu" role="menu" popover="auto" aria-label={t('widget-more', { title: titleFor(video, t) })} data-testid="menu" onKeyDown={onKeyDown} onToggle={onToggle}>
      {itemsOf(entry, actions).map((item, index, all) => (
        <button key={item.id} type="button" role="menuitem" tabIndex={-1} class="row-menu-item" data-apart={index > 0 && item.group !== all[index - 1]?.group} data-danger={item.group === 'end'} data-testid={`menu-${item.id}`} onClick={() => choose(item)}>
          <span>{t(`widget-menu-${item.id}`)}</span>
          {item.shortcut !== undefined && <kbd aria-hidden="true">{item.shortcut}</kbd>}
        </button>
      ))}
    </div>
  );
}

/** The next item behind the focused one whose text begins with a letter, from the first one on again at the end. */
function nextByLetter(items: readonly HTMLElement[], letter: string): HTMLElement | undefined {
  const here = items.findIndex((item) => item === document.activeElement);
  const ahead = [...items.slice(here + 1), ...items.slice(0, here + 1)];
  return ahead.find((item) => item.textContent.toLocaleLowerCase().startsWith(letter.toLocaleLowerCase()));
}
