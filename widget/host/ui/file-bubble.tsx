// A file in the timeline: its kind, name and size.
import type { ComponentChildren } from 'preact';
import { FileIcon, VideoIcon } from './icons';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** Bytes as people read them. */
export function sizeText(bytes: number): string {
  const exponent = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const format = { style: 'unit', unit: UNITS[exponent] ?? 'byte', unitDisplay: exponent === 0 ? 'long' : 'short', maximumFractionDigits: exponent > 1 ? 1 : 0 } as const;
  return new Intl.NumberFormat(undefined, format).format(bytes / 1000 ** exponent);
}

interface FileBubbleProps {
  readonly name: string;
  readonly size: number | null;
  readonly video: boolean;
  readonly children?: ComponentChildren;
}

export const FileBubble = ({ name, size, video, children }: FileBubbleProps) => (
  <div class="bubble file" data-testid="file">
    <span class="file-icon">{video ? <VideoIcon /> : <FileIcon />}</span>
    <span class="file-facts">
      <span class="file-name">{name}</span>
      <small>{[video ? 'Video' : 'File', ...(size === null ? [] : [sizeText(size)])].join(' · ')}</small>
      {children}
    </span>
  </div>
);
