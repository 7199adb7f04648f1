// The emoji that can be chosen, with their names. Each is written as clients write it: with U+FE0F where it has a plain form too.
import type { Language } from '../text';

export interface Emoji {
  readonly key: string;
  readonly names: Readonly<Record<Language, string>>;
}

/** `tw`: where it is written otherwise in traditional characters. */
const emoji = (key: string, en: string, zh: string, tw = zh): Emoji => ({ key, names: { en, zh, 'zh-TW': tw } });

/** A handful that is at hand at once. */
export const QUICK: readonly Emoji[] = [
  emoji('👍️', 'thumbs up', '赞', '讚'), emoji('❤️', 'red heart', '爱心', '愛心'), emoji('😂', 'tears of joy', '笑哭'),
  emoji('😮', 'surprised', '惊讶', '驚訝'), emoji('😢', 'crying', '流泪', '流淚'), emoji('🎉', 'party', '庆祝', '慶祝'),
];

export const MORE: readonly Emoji[] = [
  emoji('😀', 'grinning', '开心', '開心'), emoji('😄', 'laughing eyes', '大笑'), emoji('😅', 'nervous laugh', '苦笑'), emoji('🤣', 'rolling with laughter', '笑到打滚', '笑到打滾'),
  emoji('😊', 'smiling', '微笑'), emoji('🥰', 'in love', '喜爱', '喜愛'), emoji('😍', 'heart eyes', '花痴', '愛慕'), emoji('😘', 'kiss', '飞吻', '飛吻'),
  emoji('😉', 'wink', '眨眼'), emoji('😎', 'cool', '酷'), emoji('🤩', 'star-struck', '崇拜'), emoji('🥳', 'celebrating', '狂欢', '狂歡'),
  emoji('🤔', 'thinking', '思考'), emoji('🙃', 'upside down', '倒脸', '倒臉'), emoji('😬', 'grimacing', '尴尬', '尷尬'), emoji('🙄', 'rolling eyes', '翻白眼'),
  emoji('😴', 'asleep', '睡觉', '睡覺'), emoji('😭', 'sobbing', '大哭'), emoji('😱', 'scared', '惊恐', '驚恐'), emoji('🤯', 'mind blown', '震惊', '震驚'),
  emoji('🥺', 'pleading', '恳求', '懇求'), emoji('😡', 'angry', '生气', '生氣'), emoji('🤗', 'hug', '拥抱', '擁抱'), emoji('🫡', 'salute', '敬礼', '敬禮'),
  emoji('👎️', 'thumbs down', '踩'), emoji('👏', 'clapping', '鼓掌'), emoji('🙌', 'raised hands', '举手欢呼', '舉手歡呼'), emoji('🙏', 'thank you', '感谢', '感謝'),
  emoji('👌', 'fine', '好的'), emoji('🤝', 'handshake', '握手'), emoji('💪', 'strong', '加油'), emoji('👋', 'waving', '挥手', '揮手'),
  emoji('🤞', 'fingers crossed', '祈求好运', '祈求好運'), emoji('👀', 'eyes', '围观', '圍觀'), emoji('🧡', 'orange heart', '橙心'), emoji('💛', 'yellow heart', '黄心', '黃心'),
  emoji('💚', 'green heart', '绿心', '綠心'), emoji('💙', 'blue heart', '蓝心', '藍心'), emoji('💜', 'purple heart', '紫心'), emoji('💔', 'broken heart', '心碎'),
  emoji('🔥', 'fire', '火'), emoji('✨', 'sparkles', '闪亮', '閃亮'), emoji('⭐️', 'star', '星星'), emoji('💯', 'hundred points', '满分', '滿分'),
  emoji('🚀', 'rocket', '火箭'), emoji('🏆️', 'trophy', '奖杯', '獎盃'), emoji('🎂', 'birthday cake', '生日蛋糕'), emoji('🎁', 'present', '礼物', '禮物'),
  emoji('🎵', 'music', '音乐', '音樂'), emoji('🎬️', 'clapper board', '场记板', '場記板'), emoji('🐱', 'cat', '猫', '貓'), emoji('🐶', 'dog', '狗'),
  emoji('🌈', 'rainbow', '彩虹'), emoji('☀️', 'sun', '太阳', '太陽'), emoji('🌊', 'wave', '海浪'), emoji('🍿', 'popcorn', '爆米花'),
  emoji('☕️', 'coffee', '咖啡'), emoji('🍻', 'cheers', '干杯', '乾杯'), emoji('✅', 'done', '完成'), emoji('❓', 'question', '疑问', '疑問'),
];

const NAMES = new Map([...QUICK, ...MORE].map(({ key, names }) => [key.replaceAll('\ufe0f', ''), names]));

/** What the emoji is called; anything else is called what it is. */
export function nameOfEmoji(label: string, language: Language): string {
  return NAMES.get(label.replaceAll('\ufe0f', ''))?.[language] ?? label;
}
