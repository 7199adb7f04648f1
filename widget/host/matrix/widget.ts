// The room's widget as a client shows it: which one, and under which address. Substitution by the library that Element uses.
import { Widget, type IWidget } from 'matrix-widget-api';
import type { Language } from '../settings';
import { recordOf, textOf } from './events';
import { nameOf, type Room, type WidgetState } from './room';

/** What a client calls itself in the widget's address. */
const CLIENT_ID = 'roomreel.demo';

/** The first widget of the room that has a usable address; one on this page's own origin could read its token and is refused. */
export function widgetOf(room: Room): Widget | null {
  for (const state of room.widgets.values()) {
    const url = textOf(state.content.url);
    if (url === null || !URL.canParse(url)) continue;
    const { protocol, origin } = new URL(url);
    if (/^https?:$/.test(protocol) && origin !== location.origin) return new Widget(definitionOf(state, url));
  }
  return null;
}

function definitionOf({ id, sender, content }: WidgetState, url: string): IWidget {
  return {
    id,
    url,
    creatorUserId: sender,
    type: textOf(content.type) ?? 'm.custom',
    name: textOf(content.name) ?? 'Widget',
    data: recordOf(content.data),
    waitForIframeLoad: content.waitForIframeLoad !== false,
  };
}

export interface Viewer {
  readonly room: Room;
  readonly roomId: string;
  readonly userId: string;
  readonly baseUrl: string;
  /** What the client calls it. */
  readonly theme: string;
  readonly language: Language;
}

/** The address for the frame: template variables filled in, `widgetId` and `parentUrl` appended. */
export function widgetUrl(widget: Widget, viewer: Viewer): string {
  const complete = widget.getCompleteUrl({
    widgetRoomId: viewer.roomId,
    currentUserId: viewer.userId,
    userDisplayName: nameOf(viewer.room, viewer.userId),
    userHttpAvatarUrl: httpUrl(viewer.baseUrl, viewer.room.members.get(viewer.userId)?.avatar ?? null),
    clientId: CLIENT_ID,
    clientTheme: viewer.theme,
    clientLanguage: viewer.language,
    baseUrl: viewer.baseUrl,
  });
  const url = new URL(complete);
  url.searchParams.set('widgetId', widget.id);
  url.searchParams.set('parentUrl', location.href.replace(/#.*$/, ''));
  // As Element does: a variable that nobody knows stays literal.
  return url.href.replaceAll('%24', '$');
}

function httpUrl(baseUrl: string, mxc: string | null): string {
  const path = /^mxc:\/\/([^/]+\/[^/]+)$/.exec(mxc ?? '')?.[1];
  return path === undefined ? '' : `${baseUrl}/_matrix/media/v3/download/${path}`;
}

