// The player's menu: how fast, how sharp, which captions, in which order. Its code is fetched when it is opened.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { LOOPS, SPEEDS } from '../core/choices';
import type { Video } from '../core/model';
import { captionsKey } from '../player/captions';
import type { MatrixClient } from '../matrix/client';
import { ELSEWHERE, elsewhere, type Elsewhere } from '../player/floating-tile';
import { canFloat, toggleFloating } from '../player/picture-in-picture';
import type { ReelPlayer } from '../player/reel-player';
import { BackArrowIcon, BeyondIcon, CheckIcon } from './icons';
import { itemFor } from './menu-keys';
import { placeMenu, type Point } from './place-menu';
import { speedText } from './names';
import './style/settings.css';
import { useText, type Translate } from './text';
import { useStore } from './use-store';
import { useVisit } from './visit';

type Page = 'speed' | 'quality' | 'captions' | 'loop' | 'elsewhere';

export interface SettingsProps {
  player: ReelPlayer;
  video: Video | null;
  /** What opened the menu: it has the focus again afterwards. */
  opener: HTMLElement | null;
  onClose: () => void;
  onHelp: () => void;
}

interface Option {
  readonly id: string;
  readonly label: string;
  readonly checked: boolean;
  readonly choose: () => void;
}

interface Section {
  readonly page: Page;
  readonly title: string;
  /** What is chosen, in words. */
  readonly value: string;
  readonly options: readonly Option[];
  /** Why nothing can be chosen. */
  readonly reason?: string;
}

/** What there is to choose for the showing video. */
function useSections(player: ReelPlayer, video: Video | null, t: Translate): readonly Section[] {
  const { client } = useVisit();
  const away = useStore(elsewhere);
  const { speed, loop, captions, quality } = useStore(player.choices);
  const levels = useStore(player.playback, (playback) => playback.levels);
  const level = useStore(player.playback, (playback) => playback.level);
  const live = useStore(player.live);
  const section = (page: Page, options: readonly Option[], reason?: string): Section => {
    const value = options.find(({ checked }) => checked)?.label ?? '';
    return { page, title: t(`widget-${page}`), value, options, ...(reason !== undefined && { reason }) };
  };
  const automatic = level === null ? t('widget-quality-auto') : t('widget-quality-auto-now', { lines: `${level}` });
  const known = video?.captions ?? [];
  const spoken = known.some((each) => captionsKey(each) === captions);
  const sections = [
    section('speed', SPEEDS.map((each) => ({ id: `${each}`, label: speedText(each, t), checked: (live ? 1 : speed) === each, choose: () => player.choose({ speed: each }) })), live ? t('widget-speed-live') : undefined),
    section('quality', [
      { id: 'auto', label: automatic, checked: quality === null, choose: () => player.choose({ quality: null }) },
      ...levels.map((each) => ({ id: `${each}`, label: t('widget-quality-lines', { lines: `${each}` }), checked: quality === each, choose: () => player.choose({ quality: each }) })),
    ]),
    section('captions', [
      { id: 'off', label: t('widget-captions-off'), checked: !spoken, choose: () => player.choose({ captions: null }) },
      ...known.map((each) => ({ id: captionsKey(each), label: each.label, checked: captionsKey(each) === captions, choose: () => player.choose({ captions: captionsKey(each) }) })),
    ]),
    section('loop', LOOPS.map((each) => ({ id: each, label: t(`widget-loop-${each}`), checked: loop === each, choose: () => player.choose({ loop: each }) })), live ? t('widget-loop-live') : undefined),
    ...(client === null ? [] : [
      section('elsewhere', ELSEWHERE.map((each) => ({ id: each, label: t(`widget-elsewhere-${each}`), checked: away === each, choose: () => chooseElsewhere(client, each) }))),
    ]),
  ];
  // A single quality, or no captions, is nothing to choose from.
  return sections.filter(({ page, options }) => page === 'speed' || page === 'loop' || page === 'elsewhere' || options.length > (page === 'quality' ? 2 : 1));
}

/** The client prompts the viewer whether the widget may stay on the screen; when they decline, it is as if they had not chosen it. */
function chooseElsewhere(client: MatrixClient, choice: Elsewhere): void {
  if (choice === 'stop') return elsewhere.set('stop');
  // The page may load anew for the question.
  if (client.permissions.reloads) elsewhere.set(choice);
  void client.permissions.ask('stayOnScreen').then((allowed) => elsewhere.set(allowed ? choice : 'stop'));
}

interface ItemProps {
  role: 'menuitem' | 'menuitemradio' | 'menuitemcheckbox';
  testId: string;
  checked?: boolean;
  disabled?: boolean;
  opens?: boolean;
  onPress: () => void;
  children: ComponentChildren;
}

function Item({ role, testId, checked, disabled = false, opens = false, onPress, children }: ItemProps) {
  return (
    <button type="button" class="menu-item" role={role} tabIndex={-1} aria-checked={checked} aria-disabled={disabled || undefined} aria-haspopup={opens ? 'menu' : undefined} data-testid={testId} onClick={() => disabled || onPress()}>
      {children}
    </button>
  );
}

const Tick = ({ on }: { on: boolean }) => <span class="menu-tick" aria-hidden="true">{on && <CheckIcon />}</span>;

function Choosing({ section, onBack }: { section: Section; onBack: () => void }) {
  return (
    <>
      <Item role="menuitem" testId="menu-back" onPress={onBack}>
        <span class="menu-tick menu-back"><BackArrowIcon /></span>
        <span class="menu-title">{section.title}</span>
      </Item>
      {section.reason !== undefined && <p class="menu-reason" id="menu-reason">{section.reason}</p>}
      <div role="group" aria-label={section.title} aria-describedby={section.reason === undefined ? undefined : 'menu-reason'}>
        {section.options.map(({ id, label, checked, choose }) => (
          <Item key={id} role="menuitemradio" testId={`${section.page}-${id}`} checked={checked} disabled={section.reason !== undefined} onPress={() => { choose(); onBack(); }}>
            <Tick on={checked} />
            <bdi>{label}</bdi>
          </Item>
        ))}
      </div>
    </>
  );
}

/** A finger has no keys at hand. */
const finger = matchMedia('(pointer: coarse)');

interface OverviewProps extends SettingsProps {
  sections: readonly Section[];
  onOpen: (page: Page) => void;
}

function Overview({ player, sections, onOpen, onClose, onHelp }: OverviewProps) {
  const t = useText();
  const announce = useStore(player.choices, (choices) => choices.announce);
  const float = (): void => {
    const { showing } = player;
    if (showing !== null) void toggleFloating(showing.video);
    onClose();
  };
  return (
    <>
      {sections.map(({ page, title, value }) => (
        <Item key={page} role="menuitem" testId={`menu-${page}`} opens onPress={() => onOpen(page)}>
          <span class="menu-title">{title}</span>
          <bdi class="menu-value">{value}</bdi>
          <span class="menu-beyond"><BeyondIcon /></span>
        </Item>
      ))}
      {canFloat() && <Item role="menuitem" testId="menu-float" onPress={float}>{t('widget-float')}</Item>}
      <Item role="menuitemcheckbox" testId="menu-announce" checked={announce} onPress={() => player.choose({ announce: !announce })}>
        <span class="menu-title">{t('widget-announce')}</span>
        <span class="menu-switch" aria-hidden="true" />
      </Item>
      {!finger.matches && <Keys player={player} onHelp={onHelp} />}
    </>
  );
}

function Keys({ player, onHelp }: { player: ReelPlayer; onHelp: () => void }) {
  const t = useText();
  const keys = useStore(player.choices, (choices) => choices.keys);
  return (
    <>
      <Item role="menuitemcheckbox" testId="menu-keys" checked={keys} onPress={() => player.choose({ keys: !keys })}>
        <span class="menu-title">{t('widget-keys')}</span>
        <span class="menu-switch" aria-hidden="true" />
      </Item>
      <Item role="menuitem" testId="menu-help" onPress={onHelp}>{t('widget-keys-list')}</Item>
    </>
  );
}

/** Pixels between the menu and the stage's edges. */
const AIR = 8;

/** Where the menu lies in the lower corner of the stage. */
function cornerOf(menu: HTMLElement, stage: Element): Point {
  const { left, right, bottom } = stage.getBoundingClientRect();
  const x = getComputedStyle(menu).direction === 'rtl' ? left + AIR : right - AIR - menu.offsetWidth;
  return { x, y: bottom - AIR - menu.offsetHeight };
}

export function Settings(props: SettingsProps) {
  const { player, video, opener, onClose } = props;
  const t = useText();
  const menu = useRef<HTMLDivElement>(null);
  const [page, setPage] = useState<Page | null>(null);
  const left = useRef<Page | null>(null);
  const sections = useSections(player, video, t);
  const section = sections.find((each) => each.page === page);
  const items = (): HTMLElement[] => [...(menu.current?.querySelectorAll<HTMLElement>('.menu-item') ?? [])];
  // Above all that would cut it off.
  useLayoutEffect(() => menu.current?.showPopover(), []);
  useLayoutEffect(() => {
    const [element, around] = [menu.current, opener?.closest('.stage')];
    if (element === null || !around) return undefined;
    const place = (): void => placeMenu(element, cornerOf(element, around));
    place();
    window.addEventListener('resize', place);
    document.addEventListener('scroll', place, { passive: true });
    return () => {
      window.removeEventListener('resize', place);
      document.removeEventListener('scroll', place);
    };
  });
  // The chosen one of a list; in the overview, that which the viewer comes back from.
  useLayoutEffect(() => {
    const there = section === undefined ? `[data-testid=menu-${left.current}]` : '[aria-checked=true]';
    (menu.current?.querySelector<HTMLElement>(there) ?? items()[0])?.focus({ preventScroll: false });
    left.current = page;
  }, [page]);
  // With the menu itself: an effect comes after it is seen, and would miss a press in between.
  useLayoutEffect(() => {
    const outside = (event: Event): void => {
      const target = event.target as Node;
      if (menu.current?.contains(target) !== true && opener?.contains(target) !== true) onClose();
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [opener]);
  const leave = (): void => {
    opener?.focus();
    onClose();
  };
  const back = (): void => (section === undefined ? leave() : setPage(null));
  const onKeyDown = (event: KeyboardEvent): void => {
    const all = items();
    const here = all.find((item) => item === document.activeElement);
    const next = itemFor(event.key, all);
    const actions: Record<string, () => void> = {
      ArrowRight: () => here?.ariaHasPopup === 'menu' && here.click(),
      ArrowLeft: () => section !== undefined && setPage(null),
      Escape: back,
      Tab: leave,
    };
    // The player's own keys rest while the menu has the focus.
    event.stopPropagation();
    const act = next === undefined ? actions[event.key] : () => next.focus();
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  return (
    <div ref={menu} class="menu" role="menu" popover="manual" aria-label={section?.title ?? t('widget-settings')} data-testid="menu" data-page={page ?? ''} onKeyDown={onKeyDown} onKeyUp={(event) => event.stopPropagation()}>
      {section === undefined ? <Overview {...props} onClose={leave} sections={sections} onOpen={setPage} /> : <Choosing section={section} onBack={() => setPage(null)} />}
    </div>
  );
}
