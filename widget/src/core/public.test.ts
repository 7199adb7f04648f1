import { describe, expect, it } from 'vitest';
import { DecodeError } from './decode';
import { decodePublicMember } from './public';

const VIDEO = {
  id: 'v1', title: '', duration: 5, width: 640, height: 360, video_url: '/u/@a:x/v/v1/1-ready/video.mp4',
  poster_url: '/u/@a:x/v/v1/1-ready/poster.jpg', storyboard_url: null, blurhash: null, created_at: 1,
};
const MEMBER = { user_id: '@a:x', display_name: null, avatar_url: null, reel_url: '/u/@a:x/reel/0/index.m3u8', videos: [VIDEO] };

describe('decodePublicMember', () => {
  it('reads a room with one member', () => {
    const { members: [member], channelUrl } = decodePublicMember(MEMBER);
    expect(channelUrl).toBeNull();
    expect(member?.reelUrl).toBe(MEMBER.reel_url);
    expect(member?.videos[0]).toMatchObject({ id: 'v1', title: null, state: 'ready', posterUrl: VIDEO.poster_url, duration: 5 });
  });

  it.each([null, {}, { ...MEMBER, videos: [3] }, { ...MEMBER, videos: [{ ...VIDEO, poster_url: 'https://else.where/' }] }])('refuses %j', (value) => {
    expect(() => decodePublicMember(value)).toThrow(DecodeError);
  });
});
