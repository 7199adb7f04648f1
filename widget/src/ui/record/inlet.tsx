// Files that are dropped on the widget or pasted into it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { isVideo } from '../../core/recording/file';
import { FilmIcon } from '../icons';
import { useText } from '../text';
import { useVisit } from '../visit';
import './inlet.css';

function hasFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes('Files') === true;
}

export function Inlet({ onOpen }: { onOpen: () => void }) {
  const t = useText();
  const visit = useVisit();
  const [over, setOver] = useState(false);
  const zone = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    const take = (file: File): void => {
      onOpen();
      void import('../../record/session').then(({ recordingSessionOf }) => recordingSessionOf(visit).take(file));
    };
    const hover = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      // Without this the browser opens the file instead of the widget.
      event.preventDefault();
      setOver(true);
    };
    window.addEventListener('dragenter', hover, { signal });
    window.addEventListener('dragover', hover, { signal });
    // Between two elements of the page there is one, out of the window none.
    window.addEventListener('dragleave', (event) => event.relatedTarget === null && setOver(false), { signal });
    window.addEventListener('drop', (event) => {
      setOver(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) take(file);
    }, { signal });
    window.addEventListener('paste', (event) => {
      // Images and the like are meant for somewhere else.
      const file = [...event.clipboardData?.files ?? []].find(({ name, type }) => isVideo(name, type));
      if (file) take(file);
    }, { signal });
    return () => listening.abort();
  }, []);
  // Above the view, which is modal, lies only what is in the top layer, too.
  useEffect(() => {
    if (over) zone.current?.showPopover();
  }, [over]);
  if (!over) return null;
  return (
    <div ref={zone} popover="manual" class="drop-zone" data-testid="drop-zone">
      <span class="notice-icon"><FilmIcon /></span>
      <p>{t('widget-record-drop')}</p>
    </div>
  );
}
