// A video's title while it is edited in its row: Enter saves, Escape leaves it as it was.
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Video } from '../../core/model';
import { titleOf } from '../../core/format';
import { useText } from '../text';
import { useVisit } from '../visit';
import { focusRequest, renaming } from './list-state';
import { actionsOf } from './video-actions';
import './manage.css';

const LONGEST = 200;

export function TitleField({ video }: { video: Video }) {
  const t = useText();
  const visit = useVisit();
  const field = useRef<HTMLInputElement>(null);
  // What is being edited is the title as it was seen, whatever arrives meanwhile.
  const seen = useRef(video).current;
  const shown = useRef(video.title === null ? t('widget-untitled') : titleOf(video.title)).current;
  // Before it is painted: keys that are pressed at the sight of it must find it.
  useLayoutEffect(() => {
    field.current?.focus({ preventScroll: true });
    field.current?.select();
  }, []);
  const end = (save: boolean, focus: boolean): void => {
    if (renaming.get() !== video.id) return;
    const title = field.current?.value.split(/\s+/).filter((word) => word !== '').join(' ') ?? '';
    renaming.set(null);
    if (focus) focusRequest.set({ videoId: video.id, part: 'body' });
    if (save && title !== '' && title !== shown) actionsOf(visit).rename(seen, title);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    // Enter that ends the composition of a character does not count.
    if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
    event.preventDefault();
    end(event.key === 'Enter', true);
  };
  return (
    <span class="row-text">
      <input
        ref={field}
        class="title-field"
        type="text"
        maxLength={LONGEST}
        aria-label={t('widget-title-field', { title: shown })}
        data-testid="title-field"
        defaultValue={shown}
        enterkeyhint="done"
        autocomplete="off"
        onKeyDown={onKeyDown}
        onBlur={() => end(true, false)}
      />
      <span class="row-note title-hint">{t('widget-title-hint')}</span>
    </span>
  );
}
