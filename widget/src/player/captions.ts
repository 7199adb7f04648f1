// Captions of the showing item as cues of the element's own text track: so they show in full screen and in picture-in-picture too.
import { mediaName } from '../core/grant';
import type { Captions } from '../core/model';
import { cuesOf, type Cue } from '../core/webvtt';
import type { Showing } from './reel';
import type { ReelPlayer } from './reel-player';

/** What stands for the captions' choice: their language, or their label where it is not known. */
export function captionsKey({ language, label }: Captions): string {
  return language ?? label;
}

export class CaptionTracks {
  readonly #tracks = new Map<HTMLVideoElement, TextTrack>();
  readonly #files = new Map<string, Promise<readonly Cue[]>>();
  /** What the cues on the track are for. */
  #placed = '';
  readonly #stop: () => void;

  /** `captionsOf` returns the captions of a video as the room has them now: their URLs expire. */
  constructor(
    private readonly player: ReelPlayer,
    private readonly captionsOf: (videoId: string) => readonly Captions[],
  ) {
    const stops = [player.playback, player.choices].map((store) => store.subscribe(() => void this.#update()));
    this.#stop = () => stops.forEach((stop) => stop());
    void this.#update();
  }

  close(): void {
    this.#stop();
    this.#clear();
  }

  async #update(): Promise<void> {
    const { showing } = this.player;
    const captions = showing && this.#chosen(showing.item.videoId);
    const wanted = captions ? `${this.player.indexOf(showing.video)} ${showing.item.start} ${mediaName(captions.url)}` : '';
    if (wanted === this.#placed) return;
    this.#placed = wanted;
    this.#clear();
    if (!captions) return;
    const cues = await this.#file(captions.url);
    // Something else may show by now.
    if (wanted === this.#placed) this.#place(showing, captions, cues);
  }

  #chosen(videoId: string): Captions | undefined {
    const wish = this.player.choices.get().captions;
    return wish === null ? undefined : this.captionsOf(videoId).find((each) => captionsKey(each) === wish);
  }

  #file(url: string): Promise<readonly Cue[]> {
    const name = mediaName(url);
    const cues = this.#files.get(name) ?? fetchCues(url).catch(() => {
      // Fetched again when the item shows the next time.
      this.#files.delete(name);
      return [];
    });
    this.#files.set(name, cues);
    return cues;
  }

  #place({ video, item }: Showing, { language, label }: Captions, cues: readonly Cue[]): void {
    const track = this.#tracks.get(video) ?? video.addTextTrack('captions', label, language ?? '');
    this.#tracks.set(video, track);
    track.mode = 'showing';
    for (const cue of cues) {
      if (cue.start < item.duration) track.addCue(cueAt(item.start, Math.min(cue.end, item.duration), cue));
    }
  }

  #clear(): void {
    for (const track of this.#tracks.values()) {
      for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
      track.mode = 'hidden';
    }
  }
}

async function fetchCues(url: string): Promise<readonly Cue[]> {
  const response = await fetch(url, { credentials: 'omit' });
  if (!response.ok) throw new Error(`Captions: ${response.status}`);
  return cuesOf(await response.text());
}

function cueAt(offset: number, end: number, { start, text, settings }: Cue): VTTCue {
  const cue = new VTTCue(offset + start, offset + end, text);
  const align = settings.get('align');
  const [line, position, size] = ['line', 'position', 'size'].map((name) => Number.parseFloat(settings.get(name) ?? ''));
  if (align === 'start' || align === 'center' || align === 'end' || align === 'left' || align === 'right') cue.align = align;
  if (isShare(position)) cue.position = position;
  if (isShare(size)) cue.size = size;
  if (line !== undefined && Number.isFinite(line)) {
    cue.snapToLines = settings.get('line')?.includes('%') !== true;
    if (cue.snapToLines || isShare(line)) cue.line = line;
  }
  return cue;
}

function isShare(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value <= 100;
}
