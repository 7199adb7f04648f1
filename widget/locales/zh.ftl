# 小组件（widget-…）、公开主页（page-…）、机器人（bot-…）的文字，以及视频失败的原因（failure-…）、缺少声音的原因（audio-…）：简体中文。

## The player

widget-title = 本房间的视频
widget-player = 播放器
widget-controls = 播放控制
widget-tools = 更多视图
widget-play = 播放
widget-pause = 暂停
widget-previous = 上一个视频
widget-next = 下一个视频
widget-back = 后退 10 秒
widget-forward = 前进 10 秒
widget-mute = 静音
widget-unmute = 取消静音
widget-tap-to-unmute = 点按开启声音
widget-volume = 音量
widget-volume-value = 百分之 { $percent }
widget-fullscreen = 全屏
widget-leave-fullscreen = 退出全屏
widget-seek = 当前视频的播放位置
widget-seek-value = { $position }，共 { $duration }
widget-spoken-time = { $hours ->
    [0] { $minutes ->
        [0] { $seconds } 秒
       *[other] { $minutes } 分 { $seconds } 秒
    }
   *[other] { $hours } 小时 { $minutes } 分 { $seconds } 秒
}
widget-now-playing = { $own ->
    [yes] 正在播放：{ $title }，来自你
   *[no] 正在播放：{ $title }，来自 { $name }
}
widget-buffering = 加载中…
widget-stalled = 网络缓慢或已断开，正在重试…
widget-broken = 此浏览器无法播放这个视频。
widget-skip = 播放下一个
widget-live = 同步
widget-back-to-live = 回到同步
widget-live-note = 你看到的画面与大家同步
widget-away-note = 你正在按自己的进度观看
widget-watching = { $more ->
    [0] { $count } 人正在观看：{ $names }
   *[other] { $count } 人正在观看：{ $names }等
}
widget-untitled = 视频
# 相机自动命名的文件：按文件名中的日期和时间称呼；“when” 即 widget-camera-when。
widget-camera = { $kind ->
    [image] { $when }的图片
    [voice] { $when }的录音
    [screen] { $when }的屏幕录像
   *[video] { $when }的视频
}
widget-camera-when = { $with ->
    [year] { DATETIME($date, dateStyle: "long") }
    [year-time] { DATETIME($date, dateStyle: "long") } { DATETIME($date, timeStyle: "short") }
    [time] { DATETIME($date, day: "numeric", month: "long") } { DATETIME($date, timeStyle: "short") }
   *[day] { DATETIME($date, day: "numeric", month: "long") }
}
widget-shortcuts = 快捷键：空格播放或暂停，问号显示所有快捷键。
widget-settings = 设置
widget-speed = 播放速度
widget-speed-value = { $speed }×
widget-speed-live = 大家正在同步观看，速度保持为 1×。
widget-quality = 画质
widget-quality-auto = 自动
widget-quality-auto-now = 自动（{ $lines }p）
widget-quality-lines = { $lines }p
widget-captions = 字幕
widget-captions-off = 关闭
widget-loop = 播放顺序
widget-loop-list = 列表循环
widget-loop-one = 单个循环
widget-loop-shuffle = 随机播放
widget-loop-live = 大家正在按同一个列表顺序观看。
widget-elsewhere = 在其他房间时
widget-elsewhere-stop = 停止播放
widget-elsewhere-muted = 静音播放
widget-elsewhere-play = 继续播放
widget-float = 画中画
widget-told-speed = 速度 { $speed }
widget-told-captions = 字幕：{ $label }
widget-told-keys-on = 已开启键盘快捷键
widget-told-keys-off = 已关闭键盘快捷键
widget-told-announce-on = 会播报新视频
widget-told-announce-off = 不再播报新视频
widget-keys = 键盘快捷键
widget-keys-list = 快捷键列表
widget-announce = 屏幕阅读器：播报每个新视频
widget-keys-hint = 焦点在播放器上时有效。字母和符号键可以在设置中关闭。
widget-key-space = 空格
widget-key-play = 播放或暂停
widget-key-hurry = 按住：两倍速
widget-key-step = 后退或前进 10 秒
widget-key-seek = 后退或前进 5 秒
widget-key-share = 跳到视频的十分之几处
widget-key-ends = 跳到开头或结尾
widget-key-video = 上一个或下一个视频
widget-key-speed = 减速或加速
widget-key-volume = 音量
widget-key-mute = 静音
widget-key-captions = 字幕
widget-key-fullscreen = 全屏
widget-key-help = 显示此列表
widget-close = 关闭
widget-to-list = 跳到视频列表

## Members and lists

widget-members = 选择要看谁的视频
widget-everyone = 所有人
widget-you = 你
widget-in-turn = 所有人轮流
widget-in-turn-short = 轮流
widget-several = { $count } 位成员轮流
widget-and = {"、"}
widget-choose-several = 选择多位成员
widget-chosen = { $name }：轮流播放他们的视频
widget-member-videos = { $name }，{ $count ->
    [0] 还没有视频
   *[other] { $count } 个视频
}
widget-list = 视频
widget-list-of = { $own ->
    [yes] 你的视频
   *[no] { $name } 的视频
}
widget-count = { $count ->
    [0] 还没有视频
   *[other] { $count } 个视频
}
widget-play-video = 播放 { $title }
widget-playing = 播放中
widget-paused = 已暂停
widget-state-queued = 排队中
widget-state-awaited = 等待上传完成
widget-state-processing = 正在处理
widget-progress = 正在处理{ $title }
widget-progress-percent = { $percent }%
widget-progress-seconds = { $percent }%，约剩 { $count } 秒
widget-progress-minutes = { $percent }%，约剩 { $count } 分钟
widget-progress-qualities = 更清晰的画质：{ $progress }
widget-state-failed = 处理失败
widget-state-hidden = 已隐藏
widget-state-held = 暂时不对他人显示
widget-hidden-by-viewer = 已由你隐藏
widget-hidden-by-sender = 已由发送者隐藏
widget-hidden-by-moderator = 已由管理员隐藏
widget-held-for-approval = 等待管理员审核
widget-held-for-reports = 被举报，等待管理员处理
widget-held-for-verdict = 检测服务正在检查
widget-held-for-policy = 已暂停显示：发送者在策略列表中
widget-held-for-quarantine = 已被本服务器的管理者隔离
widget-kind-image = 图片
widget-kind-voice = 声音
widget-find = 搜索视频
widget-found = { $count ->
    [0] 没有找到
   *[other] 找到 { $count } 个视频
}
widget-to-current = 回到正在播放的视频
widget-spoiler = 剧透
widget-spoiler-because = 剧透：{ $reason }
widget-spoiler-hint = { $own ->
    [yes] 你的“{ $title }”
   *[no] { $name } 的“{ $title }”
}
widget-spoiler-show = 显示
widget-spoiler-leave = 暂不
widget-mark-avatar = 视频头像
widget-mark-published = 已公开
widget-mark-reported = { $count } 次举报

## Managing videos

widget-more = 管理{ $title }
widget-menu-rename = 重命名
widget-menu-hide = 对他人隐藏
widget-menu-review = 审核…
widget-menu-show = 对所有人显示
widget-menu-approve = 通过
widget-menu-block = 屏蔽…
widget-menu-avatar-set = 设为我的视频头像
widget-menu-avatar-unset = 不再用作视频头像
widget-menu-publish = 发布到我的主页…
widget-menu-unpublish = 从公开主页撤回
widget-menu-copy-link = 复制链接
widget-menu-move-up = 上移
widget-menu-move-down = 下移
widget-menu-move-top = 移到最前
widget-menu-move-end = 移到最后
widget-menu-report = 举报…
widget-menu-dismiss = 忽略举报
widget-menu-delete = 删除
widget-title-field = { $title } 的新标题
widget-title-hint = 回车保存，Esc 取消
widget-renamed = 已重命名为{ $title }
widget-hidden = 已对他人隐藏{ $title }
widget-shown = 现在所有人都能看到{ $title }
widget-avatar-set = { $title }已设为你的视频头像
widget-avatar-unset = { $title }不再是视频头像
widget-moved = { $title }现在是第 { $place } 个，共 { $count } 个
widget-deleted = 已删除“{ $title }”
widget-undo = 撤销
widget-restored = 已恢复{ $title }
widget-approved = 现在所有人都能看到“{ $title }”。
widget-rejected = 已拒绝“{ $title }”，稍后会告诉发送者。
widget-blocked = 已移除“{ $title }”，本房间不再接受同一文件。
widget-queue = 等待你处理
widget-queue-waiting = { $count } 个待审核
widget-queue-reported = { $count } 个被举报
widget-review-shown = 所有人都能看到
widget-review-preparing = 还没有可观看的内容：视频仍在处理。
widget-review-unseen = 此处无法观看：发送者隐藏了它，或不由本房间的管理员决定。
widget-review-no-reasons = 无法加载举报内容。
widget-review-wordless = 未说明原因
widget-review-approve = 通过
widget-review-show = 对所有人显示
widget-review-dismiss = 忽略举报
widget-review-hide = 对他人隐藏
widget-review-reject = 拒绝…
widget-review-reject-hint = 原因是什么？如果填写，发送者会看到。
widget-review-reject-confirm = 拒绝
widget-review-block = 屏蔽…
widget-review-block-hint = 视频将被永久移除，同一文件及其副本不能再进入本房间。原因会记入日志。
widget-review-block-confirm = 屏蔽
widget-review-close = 关闭
widget-published = “{ $title }”已发布到你的公开主页。
widget-unpublished = “{ $title }”不再公开。
widget-reports-dismissed = 已忽略对{ $title }的举报
widget-reported = 谢谢，本房间的管理员会处理。
widget-publish-title = 发布“{ $title }”？
widget-publish-hint = 互联网上任何有地址的人都能打开你的主页，无需账号。主页只显示你发布的视频，以及你的名字和头像。你可以随时撤回。
widget-publish = 发布
widget-address = 地址
widget-copy = 复制
widget-copied = 链接已复制
widget-copy-by-hand = 复制此链接
widget-copy-by-hand-hint = 聊天应用不允许我们复制。链接已选中：请按 Ctrl+C，或长按后选择“复制”。
widget-report-title = 举报“{ $title }”
widget-report-hint = 有什么问题？本房间的管理员会看到你写的内容。
widget-report-send = 举报
widget-cancel = 取消
widget-unsaved = 尚未保存，正在重试。
widget-refused-conflict = 其他人同时修改了“{ $title }”，你的修改没有保存，请重新查看。
widget-refused-forbidden = 你不能再对“{ $title }”执行此操作。
widget-refused-gone = “{ $title }”已经不在了。
widget-refused-late = 太晚了：“{ $title }”已被永久删除。
widget-refused-server = 服务器没有接受你对“{ $title }”的修改。
widget-refused-reject-conflict = “{ $title }”已不再等待审核。
widget-refused-block-conflict = 暂时无法屏蔽“{ $title }”：对该文件了解还不够，请稍后再试。
widget-refused-order-conflict = 其他人同时更改了顺序，请重试。
widget-refused-order-forbidden = 你不能再更改这个顺序。
widget-refused-order-gone = 这些视频已经不在了。
widget-refused-order-late = 这些视频已经不在了。
widget-refused-order-server = 服务器没有接受新的顺序。

## Talking about a video

widget-talk = 评论
widget-talk-close = 返回视频列表
widget-talk-react = 添加回应
widget-talk-reaction = { $name }：{ $count } 人
widget-talk-replies = 对“{ $title }”的评论
widget-talk-none = 还没有评论，来说第一句吧。
widget-talk-nothing = 播放一个视频，就可以评论它。
widget-talk-earlier = 更早的评论
widget-talk-edited = 已编辑
widget-talk-delete = 删除这条评论
widget-talk-delete-question = 对所有人删除？
widget-talk-keep = 保留
widget-talk-write = 评论“{ $title }”
widget-talk-placeholder = 写评论…
widget-talk-send = 发送
widget-talk-reply-failed = 未能发送，文字仍在这里，请重试。
widget-talk-reply-busy = 未能发送：操作过于频繁。文字仍在这里，请稍后重试。
widget-talk-reply-refused = 未能发送：你不能在这个房间里发言。文字仍在这里。
widget-talk-not-sent = 未能发送，请重试。
widget-talk-not-sent-busy = 未能发送：操作过于频繁，请稍后重试。
widget-talk-not-sent-refused = 未能发送：你在这个房间里没有权限。
widget-talk-failed = 无法加载评论。
widget-talk-elsewhere = 这个视频发送在被本房间取代的旧房间里，相关评论也在那里。
widget-talk-moved = 正在播放：{ $title }。你仍在评论这个视频。
widget-talk-over-picture = 在画面上显示新评论
widget-talk-unread = { $count } 条新评论
widget-talk-missing-see = 评论就是本聊天中的消息，而你的聊天应用不允许 Roomreel 查看消息。
widget-talk-missing-react = 你的聊天应用不允许 Roomreel 查看或发送回应。
widget-talk-missing-send = 你的聊天应用不允许 Roomreel 代你发送消息。
widget-talk-read-only = 你在这个房间里可以看评论，但不能发表评论。
widget-by-bot = 由 Roomreel 机器人代你发送到聊天中，并注明你的名字。
widget-talk-before-see = 评论和回应都是这个聊天里的消息。要在这里显示它们，Roomreel 需要聊天应用的许可，应用会询问你。
widget-talk-before-send = 要以你的名义发送评论，Roomreel 需要聊天应用的许可，应用会询问你。为此页面会重新加载并回到这里。
widget-talk-continue = 继续
widget-talk-asking = 聊天应用正在询问你。
widget-talk-will-ask-send = 发送时，聊天应用会询问是否允许 Roomreel 以你的名义发送消息。
widget-talk-will-ask-react = 聊天应用会询问是否允许 Roomreel 查看回应并以你的名义回应。
widget-several-yes = 聊天应用仍在运行此页面的旧副本，会把所有内容重复发送多次，因此这里不会发送任何内容。请重新加载应用，之后即可恢复。在此之前请使用聊天：在那里发送的视频会在这里播放，对视频的回复会显示在这里。
widget-several-perhaps = 聊天应用可能仍在运行此页面的旧副本，从这里发送的内容可能会重复出现。请先重新加载应用，或使用聊天：在那里发送的视频会在这里播放，对视频的回复会显示在这里。
widget-several-anyway = 仍然从这里发送
widget-talk-ask = 再次询问我

## Nothing to see yet

widget-empty-room = 舞台属于你
widget-empty-room-hint = 在聊天中发送一个视频，它就会在这里为所有人播放。
widget-empty-member = { $name } 还没有发送视频
widget-empty-member-hint = 对方在聊天中发送视频后，就会在这里播放。
widget-empty-moved = 这个聊天室已升级
widget-empty-moved-hint = 它的视频在新聊天室里播放。
widget-empty-moved-link = 前往新聊天室
widget-empty-own = 你还没有发送视频
widget-empty-own-hint = 在聊天中发送一个视频，几秒钟后就会在这里播放。
widget-empty-send = 录制或发送视频
widget-empty-waiting = 正在排队
widget-empty-waiting-hint = 其他视频先处理，轮到后会自动开始播放。
widget-empty-preparing = 马上就好
widget-empty-preparing-hint = 视频正在处理，完成后会自动开始播放。
widget-empty-spoilers = 目前只有剧透
widget-empty-spoilers-hint = 请在列表中选择。只有在你要求时才会播放。
widget-empty-withheld = 暂时没有显示的视频
widget-empty-withheld-hint = 这里的视频已隐藏，或在等待处理：列表中说明了原因。
widget-empty-failed = 暂时没有可播放的视频
widget-empty-failed-hint = 列表中说明了出错的原因和解决办法。
widget-encryption-title = 这个房间已加密
widget-encryption-title-off = 这个加密房间没有开启视频
widget-encryption-hint = 开启之后，本服务器会为此后发送的每个视频保留一份可播放的副本，而本服务器的运营者能够观看它。在那之前不保留任何新的视频。
widget-encryption-others = 房间的管理员可以开启视频。
widget-encryption-unserved = 视频不会在这里播放：这台服务器没有为加密房间设置好。它的运营者可以在 Roomreel 的 docs/encryption.md 里找到设置方法。
widget-encryption-on = 开启视频
widget-encryption-on-question = 要为这个房间里的所有人开启视频吗？此后发送的每个视频都会保留一份可播放的副本，而本服务器的运营者能够观看它。
widget-encryption-on-sure = 要为这个房间里的所有人开启视频吗？
widget-encryption-on-confirm = 开启
widget-encryption-kept = { $name } 于 { DATETIME($at, dateStyle: "medium") }开启了视频：本服务器保留可播放的副本
widget-encryption-kept-since = 视频自 { DATETIME($at, dateStyle: "medium") }起开启：本服务器保留可播放的副本
widget-encryption-not-kept = 这个加密房间没有开启视频：新的视频不会在这里播放。
widget-encryption-not-kept-others = 这个加密房间没有开启视频：新的视频不会在这里播放。房间的管理员可以开启视频。
widget-encryption-not-kept-unserved = 新的视频不会在这里播放：这个房间已加密，而这台服务器没有为此设置好。
widget-encryption-off = 关闭视频
widget-encryption-off-question = 要为这个房间里的所有人关闭视频吗？到目前为止发送的全部视频的副本都会被清除，聊天中的消息会保留。此操作无法撤销。
widget-encryption-off-confirm = 清除并关闭
widget-encryption-failed = 没有成功，请重试。

## Trouble

widget-loading = 正在加载本房间的视频…
widget-loading-more = 正在加载更多…
widget-loading-failed = 无法加载其余视频。
widget-searching = 正在搜索所有视频…
widget-asking = 视频仅供本房间成员观看：聊天应用可能会询问是否允许 Roomreel 知道你的身份，请在那里选择“继续”。
widget-stale = 正在重新连接…
widget-retry = 重试
widget-error-outside = 请在聊天中打开
widget-error-outside-hint = Roomreel 在 Matrix 房间里播放。请用支持小组件的客户端（例如电脑版 Element）打开房间，然后选择 Roomreel 小组件。
widget-error-no-answer = 聊天应用没有响应
widget-error-no-answer-hint = 请重试。如果仍然如此，请关闭小组件后重新打开。
widget-error-declined = 需要确认你是房间成员
widget-error-declined-hint = 只有本房间的成员可以观看。请重试，并在聊天应用询问时选择“继续”。Roomreel 只会知道你的用户名。
widget-error-identity = 无法确认你的身份
widget-error-identity-hint = 刚添加小组件时可能会出现这种情况，请重试。
widget-error-not-member = 只有本房间的成员可以观看
widget-error-not-member-hint = 请先加入房间，然后重试。
widget-error-offline = 没有网络连接
widget-error-offline-hint = 我们会继续尝试，你也可以立即重试。
widget-error-server = 服务器出了问题
widget-error-server-hint = 这不是你的问题。我们会继续尝试，你也可以立即重试。
widget-error-busy = 服务器正忙
widget-error-busy-hint = 服务器请大家稍等片刻，之后会自动重试。
widget-error-no-room = 链接中没有房间
widget-error-no-room-hint = 请让管理员重新添加 Roomreel 小组件：邀请机器人进房间，它会完成设置。
widget-error-unsupported = 此浏览器无法播放这些视频
widget-error-unsupported-hint = 请更新浏览器或聊天应用，或换用其他浏览器。

## Recording and sending a video

widget-record = 录制或发送视频
widget-record-recording = 正在录制，点此返回
widget-record-draft = 有未发送的视频，点此返回
widget-record-sending = 正在发送你的视频
widget-record-failed = 视频没有发送成功，点此查看原因
widget-record-ready = 准备录制
widget-record-review = 预览
widget-record-sent-title = 已发送
widget-record-close = 关闭
widget-record-camera = 摄像头
widget-record-screen = 屏幕
widget-record-file = 选择文件
widget-record-private = 发送之前，别人看不到它。
widget-record-drop-hint = 也可以把视频拖到这里。{ widget-record-private }
widget-record-drop = 在这里松开视频
widget-record-asking = 浏览器正在请求权限…
widget-record-live = 将要录制的画面
widget-record-start = 开始录制
widget-record-skip = 立即开始
widget-record-stop = 停止并预览
widget-record-pause = 暂停录制
widget-record-resume = 继续录制
widget-record-mute = 麦克风静音
widget-record-flip = 切换摄像头
widget-record-devices = 摄像头和麦克风
widget-record-device-camera = 摄像头
widget-record-device-microphone = 麦克风
widget-record-with-microphone = 同时录制麦克风
widget-record-name = 录像 { $date }
widget-record-discard = 丢弃
widget-record-discard-question = 丢弃这个视频吗？丢弃后无法恢复。
widget-record-keep = 保留
widget-record-preview = 你的视频
widget-record-no-preview = 此浏览器无法预览这种视频，但仍然可以发送。
widget-record-trim = 要发送的部分
widget-record-trim-start = 开始
widget-record-trim-end = 结束
widget-record-trim-length = 已选 { $length }
widget-record-longest = 这里的视频最长 { $length }：请选择要发送的部分。
widget-record-longest-edit = 这里的视频最长 { $length }。你的视频还在：可以编辑后发送其中一部分，或保存副本。
widget-record-caption = 说明（可选）
widget-record-send = 发送
widget-record-edit = 编辑
widget-record-done = 已完成
widget-record-save = 保存副本
widget-record-step-upload = 正在上传
widget-record-step-prepare = 正在处理
widget-record-step-post = 正在发送到房间
widget-record-before = 要以你的名义发送视频，Roomreel 需要聊天应用的许可，应用会询问你。为此页面会重新加载并回到这里。
widget-record-declined = 聊天应用不允许 Roomreel 代你发送视频。
widget-record-will-ask = 发送时，聊天应用会询问是否允许 Roomreel 以你的名义发送视频。
widget-record-sending-hint = 可以关闭这里继续观看，发送会在后台进行。
widget-record-sent-hint = 视频已出现在聊天中，马上就会在这里播放。
widget-record-sent-ready = 视频已出现在聊天中，现在就可以在这里播放。
widget-record-watch = 观看
widget-record-again = 再发一个
widget-record-finished = 完成
widget-record-lost = 网络已断开。不会丢失任何内容：恢复后会自动继续上传。
widget-record-waits = 服务器正忙，请我们稍等。什么也没有丢失：上传会自动继续。
widget-record-resumed = 网络已恢复，继续上传。
widget-record-said-live = 可以开始录制。
widget-record-said-recording = 正在录制。
widget-record-said-paused = 录制已暂停。
widget-record-said-review = 视频长 { $length }。可以裁剪、添加说明或发送。
widget-record-way-out = 也可以选择用其他应用录好的文件。
widget-record-problem-denied = 没有权限。
widget-record-problem-denied-hint = 请在浏览器设置中允许本页面使用摄像头和麦克风，然后重试。
widget-record-problem-blocked = 聊天应用不允许小组件录制。
widget-record-problem-blocked-hint = 只有该应用自己能更改这一点。
widget-record-problem-missing = 找不到摄像头。
widget-record-problem-missing-hint = 请连接摄像头后重试。
widget-record-problem-busy = 摄像头正被占用。
widget-record-problem-busy-hint = 请关闭正在使用它的应用（例如通话）后重试。
widget-record-problem-insecure = 录制需要安全连接。
widget-record-problem-insecure-hint = 本页面不是通过 HTTPS 打开的。
widget-record-problem-unsupported = 此浏览器无法录制。
widget-record-problem-unsupported-hint = 较新的浏览器可以。
widget-record-problem-broken = 这里无法录制。
widget-record-problem-broken-hint = 请重试，或换一个摄像头。
widget-record-problem-not-a-video = 这个文件不是视频。
widget-record-problem-not-a-video-hint = 请选择 MP4、MOV、WebM 或 MKV 文件。
widget-record-problem-empty = 这个文件是空的。
widget-record-problem-empty-hint = 请选择另一个文件。
widget-record-problem-too-large = 文件超过了本服务器允许的大小。
widget-record-problem-too-large-hint = 请选择短一些或小一些的视频。
widget-record-problem-nothing = 没有录到任何内容。
widget-record-problem-nothing-hint = 请重试，至少录制一秒钟。
widget-record-problem-kept = 这里已经有一个视频。
widget-record-problem-kept-hint = 请先发送或丢弃它，再选择另一个。
widget-record-problem-permission = 需要先得到聊天应用的许可。
widget-record-problem-permission-hint = 之后请再选择一次这个视频。
widget-record-failed-upload = 上传没有成功。视频还在这里，请重试。
widget-record-failed-refused = 服务器不接受你在本房间发送的视频。视频还在这里，请联系管理员。
widget-record-failed-unavailable = 本服务器还不能从这里接收视频。请保存副本，然后在聊天中发送。
widget-record-failed-too-large = 视频超过了本服务器允许的大小。请重新录制一个短一些的。
widget-record-failed-busy = 你有多个上传正在进行。请完成或丢弃其中一个，或几分钟后重试。
widget-record-failed-full = 服务器暂时没有空间。视频还在这里，请稍后重试。
widget-record-failed-user-limit = 你在这里的视频数量已达上限。这个视频还在：请先删除一些旧视频，然后再试。
widget-record-failed-room-limit = 本房间的视频数量已达上限。你的视频还在：请删除一些视频或请管理员删除，然后再试。
widget-record-failed-post = 视频已准备好，但消息没有发送成功，请重试。
widget-record-failed-declined = 聊天应用未获准发送。请重试并选择允许，或保存副本后在聊天中发送。
widget-record-failed-several = 聊天应用可能会多次发送该视频，因此没有发送。请返回查看处理办法，你的视频仍在这里。

## Signing in a browser by itself

widget-sign-in = 在这个浏览器里观看
widget-sign-in-hint = 用任意 Matrix 应用在房间里发送这条消息，本页就会以你的身份自动继续。请只发送你自己屏幕上显示的登录码：显示它的屏幕将以你的名义观看、发言和发送。
widget-sign-in-message = 要发送的消息
widget-sign-in-copy = 复制消息
widget-sign-in-copied = 已复制
widget-sign-in-waiting = 正在等待你的消息…
widget-sign-in-renewed = 这是新的登录码：上一个已用过或已过期。
widget-sign-out = 在这个浏览器里退出登录

## A member's public page

page-title = { $name } 的视频
page-count = { $count ->
   *[other] { $count } 个视频
}
page-date = { DATETIME($date, dateStyle: "long") }
page-untitled = 视频
page-pages = 页面
page-previous = 上一页
page-next = 下一页
page-number = 第 { $number } 页，共 { $pages } 页
page-more = 显示更多
page-no-script = Roomreel 需要 JavaScript 才能播放本房间的视频。
page-missing = 这里什么也没有
page-missing-hint = 这个地址下没有公开的视频。它们可能已被撤回，也可能是地址有误。
page-export-gone = 这个链接已失效
page-export-gone-hint = 下载你的视频和资料的链接有效一天；如果你的某个视频被删除，或你要了新的链接，它会提前失效。给机器人发送“导出”，它会再给你一个链接。

## Why a video, photo or sound could not be prepared, and what its sender can do

# What was sent, in the middle of a sentence. Its kind is told by those who say the messages that it is part of.
thing = { $kind ->
    [image] 图片
    [voice] 声音
   *[video] 视频
}

failure-empty-file = 文件是空的，请重新发送{ thing }。
failure-not-a-video = 这个文件不是视频。请发送 MP4、MOV、WebM 或 MKV 文件。
failure-not-a-picture = 这个文件不是我们能识别的图片。请发送 JPEG、PNG、WebP、GIF、HEIC 或 AVIF 文件。
failure-not-a-sound = 这个文件不是我们能识别的声音。请发送 Ogg、M4A、MP3、WAV 或 FLAC 文件。
failure-broken-file = 文件已损坏或没有发送完整，请重新发送。
failure-no-decoder = { $kind ->
    [image] 服务器无法读取这种格式的图片。请保存为 JPEG 或 PNG 后重新发送。
    [voice] 服务器无法播放这种格式的声音。请保存为 M4A、MP3 或 Ogg 后重新发送。
   *[video] 服务器无法播放这种格式的视频。请保存为 H.264 编码的 MP4（几乎所有应用都支持）后重新发送。
}
failure-too-long = { thing }超过了本房间允许的时长，请发送短一些的{ thing }。
failure-too-large-picture = { $kind ->
    [image] 图片尺寸太大。请减少像素后重新发送。
   *[video] 画面尺寸太大。请降低分辨率后再发送，例如 4K 或 1080p。
}
failure-too-high-frame-rate = { thing }每秒的画面太多。请以每秒 60 帧或更低的帧率保存后重新发送。
failure-too-many-streams = 文件中的轨道太多。{ $kind ->
    [voice] 请只保留一条声音轨后重新发送。
   *[video] 请只保留一条画面轨和一条声音轨后重新发送。
}
failure-took-too-long = 处理{ thing }的时间太长。{ $kind ->
    [image] 请尝试更小的图片。
    [voice] 请尝试更短的声音。
   *[video] 请尝试更短或更小的视频。
}
failure-tool-missing = 服务器尚未配置好媒体处理，请告知服务器的管理者。
failure-failed = 处理{ thing }时出了问题，请重新发送。
failure-media-gone = 你的服务器上已经没有这个文件，请重新发送{ thing }。
failure-never-uploaded = 文件没有上传完成。请重新发送{ thing }。
failure-media-too-large = 文件超过了服务器允许的大小，请发送小一些的文件。
failure-download-failed = 无法从你的服务器获取文件，请稍后重新发送。
failure-hash-mismatch = 文件在传输中被改动，因此没有使用。请重新发送；如果仍然如此，请告知你所用服务器的管理者。
failure-encrypted-file = 你的应用没有说明如何打开这个加密文件。请重新发送，必要时换一个应用。
failure-room-encrypted = 这个房间已加密，管理员没有允许本服务器保留这里发送内容的副本。请保存副本并在聊天中发送，或者等管理员允许后重试。
failure-blocked = 该{ thing }已被本聊天室的管理员或本服务器的管理者屏蔽，所以没有收录。
failure-quota-user = 你在这里的视频已达到每人的上限。请删除一些自己的视频（用“mine”可以列出），然后重新发送。
failure-quota-room = 这个房间的视频已达到上限。请删除一些自己的视频，或请管理员删除一些，然后重新发送。
failure-quota-server = 服务器目前放不下更多视频。请稍后重新发送，或告诉服务器的管理者。
failure-disk-full = 服务器的磁盘已满。请稍后重新发送{ thing }，或告诉服务器的管理者。
failure-overloaded = 服务器多次因过于繁忙而无法处理该{ thing }。请稍后重新发送。
failure-internal = 服务器出错了。请重新发送{ thing }；如果问题仍然存在，请告知服务器的管理者。

## What of a video's sound could not be taken

audio-no-decoder = 播放时没有声音：这里不支持它的声音格式。
audio-encrypted = 播放时没有声音：声音是加密的。
audio-damaged = 播放时没有声音：声音已损坏。
audio-too-many-channels = 播放时没有声音：声道太多。
audio-some-tracks = 只播放一部分声音：不是每条声音轨都能播放。
audio-parts = 缺少一部分声音：有些片段已损坏。

## What the bot says in the room

bot-declined = 我不能在这里为你服务：请向本服务器的管理员申请使用权限。
bot-key-missing = 我没有这条消息的密钥，无法读取。如果它是视频或命令，请再发送一次。
bot-key-withheld = 你的客户端拒绝把这条消息的密钥给我，我无法读取。请验证我，或者在此房间允许未验证的设备，然后再发送一次。
bot-verification-declined = 我没有可以比对表情符号的屏幕。管理此服务的人可以验证我：他们能在日志里看到表情符号。
bot-welcome = 这个聊天室现在有屏幕了。在聊天中发送视频，它就会在聊天室的小部件里播放；所有人的视频按顺序循环播放。要观看，请打开聊天室的“Roomreel”小部件，例如在电脑上的 Element 里；在手机上请打开 { $link }
bot-needs-power = 我没有权限把视频屏幕放进这个聊天室。请把 { $bot } 的权限级别设为 { $level }：在这里发送 { $step }。也可以在聊天室设置里降低“修改小部件”的级别。之后我会自动重试。
bot-needs-moderator = 我没有权限把视频屏幕放进这个聊天室。请在聊天室的成员列表里把我设为“协管员”，或者在这里发送 { $step }。也可以在聊天室设置里降低“修改小部件”的级别。之后我会自动重试。
bot-needs-admin = 我没有权限把视频屏幕放进这个聊天室。请在聊天室的成员列表里把我设为“管理员”，或者在这里发送 { $step }。也可以在聊天室设置里降低“修改小部件”的级别。之后我会自动重试。
bot-encrypted = 这个聊天室已加密；邀请我，就是允许我读取这里发送的内容，好让我看懂给我的命令，你的客户端也可能随邀请把更早消息的密钥给了我。如果在这里开启视频，本服务会为此后发送的每个视频保留一份可播放的副本，而这台服务器的运营者能够观看它。在那之前不保留任何视频：要开启，请由管理员在这里发送 { $command }，或按“Roomreel”小部件里的按钮。
bot-encrypted-direct = 这个私聊已加密；邀请我，就是允许我读取这里发送的内容，好让我看懂给我的命令，你的客户端也可能随邀请把更早消息的密钥给了我。如果在这里开启视频，本服务会为此后发送的每个视频保留一份可播放的副本，而这台服务器的运营者能够观看它。在那之前不保留任何视频：要开启，请在这里发送 { $command }，或按“Roomreel”小部件里的按钮。
bot-encrypted-since = 这个聊天室现在已加密。这里已有的视频会保留，并继续在小部件里播放；对新的视频，本服务必须保留一份可播放的副本，而这台服务器的运营者能够观看它。在有人同意之前，不保留任何新视频：要开启，请由管理员在这里发送 { $command }，或按“Roomreel”小部件里的按钮。
bot-opted-in = { $user } 在这个加密聊天室开启了视频（{ $when }）：从现在起，本服务会为这里发送的每个视频保留一份可播放的副本，而这台服务器的运营者能够观看它。要关闭并清除所有副本，请由管理员发送 { $command }
bot-opted-in-before = { $people }：{ $user } 在这个加密聊天室开启了视频（{ $when }）。本服务会为这里发送的每个视频保留一份可播放的副本，而这台服务器的运营者能够观看它。
bot-opted-in-still = 在被这个聊天室取代的加密聊天室里，{ $user } 开启了视频（{ $when }），所以这里也已开启：本服务会为这里发送的每个视频保留一份可播放的副本，而这台服务器的运营者能够观看它。
bot-opted-out = { $user } 在这个加密聊天室关闭了视频（{ $when }）：{ $count ->
    [0] 这里没有保留任何视频的副本
   *[other] 这里保留的 { $count } 个视频的副本已清除
}，也不再保留新的。消息本身会保留。要重新开启，请由管理员发送 { $command }
bot-unserved = 这个聊天室已加密，而这台服务器没有为此设置好：我看不到这里发送的内容，没有在这里放置屏幕，你在这里发送的视频也不会播放。这台服务器的运营者可以在 Roomreel 的 docs/encryption.md 里找到设置方法；设置好之后我会在这里继续。在那之前：新建一个不加密的聊天室并邀请我（在 Element 中：“新建聊天室”，然后关闭“启用端到端加密”；开启之后就无法关闭）。
bot-unserved-direct = 这个私聊已加密，而这台服务器没有为此设置好：我看不懂你在这里写的话，你在这里发送的视频也不会播放。这台服务器的运营者可以在 Roomreel 的 docs/encryption.md 里找到设置方法；设置好之后我会在这里继续。在那之前：新建一个不加密的聊天室并邀请我（在 Element 中：“新建聊天室”，然后关闭“启用端到端加密”；开启之后就无法关闭）。
bot-unserved-since = 这个聊天室现在已加密，而这台服务器没有为此设置好。这里已有的视频会保留，并继续在小部件里播放；新的视频不会出现在小部件里。这台服务器的运营者可以在 Roomreel 的 docs/encryption.md 里找到设置方法；设置好之后我会在这里继续。在那之前，要使用新视频：新建一个不加密的聊天室并邀请我（在 Element 中：“新建聊天室”，然后关闭“启用端到端加密”；开启之后就无法关闭）。
bot-left-behind = 这个聊天室没有加密，而之前的聊天室是加密的：它的视频留在那里，成员可以在那里的小组件中观看。等这个聊天室也加密后，它们会一并移过来。
bot-failed = “{ $title }”无法播放。{ $reason }
bot-edit-failed = 你用来替换“{ $title }”的内容无法播放，原来的视频会继续播放。{ $reason }
bot-audio = “{ $title }”：{ $reason }要听到全部声音，请用 AAC 声音格式保存视频后重新发送。
bot-mended = “{ $title }”现在可以播放了。
bot-untitled = 你的{ thing }
bot-signed-in = 已登录：一个浏览器（{ $browser }）现在可以用 { $user } 的身份观看本房间，并以其名义评论、回应和发送视频，有效期 30 天。如果那不是你自己的浏览器，或想结束登录，请发送 { $command }
bot-some-browser = 类型未知
bot-signed-out = { $count ->
    [0] 没有以 { $user } 身份登录的浏览器。
   *[other] 已退出 { $count } 个以 { $user } 身份登录的浏览器。
}
bot-wrong-code = 这个登录码不正确、已用过或已过期，没有任何人因此登录。请使用浏览器当前显示的登录码，并在申请它的那个房间里发送。
bot-too-many-codes = 错误的登录码太多。没有任何人登录；十分钟内你发送的登录码都不会被接受。

## 机器人对命令的回答

bot-help = 在这个房间发送视频，它就会在房间的小组件里播放。此外，我还能听懂：
bot-help-videos = VIDEO 可以是你列表中的编号（如 { $own }）、别人列表中的编号（如 { $others }），或视频 id（如 { $id }）。回复某条视频消息时可以省略。
bot-help-help = 我能听懂的命令
bot-usage-help = help [COMMAND]
bot-help-version = 我的版本
bot-usage-version = version
bot-version = Roomreel { $version }
bot-unknown = 我不认识这个命令。
bot-unknown-nearest = 我不认识“{ $name }”。你是不是想说“{ $meant }”？
bot-see-help = { $command } 会列出我能听懂的所有命令。
bot-wrong-word = “{ $word }”用在这里不对。应该这样写：
bot-missing-word = 还缺了点什么。应该这样写：
bot-interrupted = 我做到一半被打断了。请看看是否已经完成，没有的话请再发一次。
bot-not-alone = 有其他人进入了这个房间，或可以进入：你要的内容不是给他们看的。请在只有我们两个的地方问我。
bot-only-moderators = 只有房间管理员可以这样做。
bot-forbidden = 你不能对那个视频这样做。
bot-never-public = 这个视频在本服务器上是加密的，因此不能在公开页面上显示。
bot-not-found = 没有这个视频。
bot-conflict = 在此期间有人改动了它。请再看一眼，然后重试。
bot-too-late = 太晚了：视频已经没有了。
bot-refused = 无法完成：{ $reason }
bot-no-such-id = 在你的房间里找不到视频 #{ $id }。
bot-id-too-short = 有不止一个视频的 id 以 #{ $id } 开头。请多写几位。
bot-no-such-number = 没有编号为 { $number } 的视频：列表中{ $count ->
    [0] 没有视频
   *[other] 共有 { $count } 个视频
}。
bot-which-video = 哪个视频？请写出编号或 id，或者回复它的消息。
bot-several-videos = 那条消息包含多个视频。请用 id 指明是哪一个：{ $ids }。
bot-video = 视频
bot-camera-time = { $date } { $time }
bot-camera-time-utc = { $date } { $time}（UTC）
bot-state-queued = 排队中
bot-state-awaited = 等待上传完成
bot-state-processing = 处理中
bot-state-playable = 可以播放，清晰度还在提高
bot-state-ready = 已就绪
bot-state-failed = 处理失败
bot-visibility-hidden = 已隐藏
bot-visibility-held = 等待管理员审核
bot-mark-audio = 缺少声音
bot-mark-published = 公开
bot-next-page = 更多：{ $command }
bot-help-list = 列出成员和他们的视频，或某个成员的视频
bot-usage-list = list [@USER] [PAGE]
bot-list = { $count ->
    [0] 还没有视频。发送一个，它就会在小组件里播放。
   *[other] 这个房间有 { $count } 个视频：
}
bot-list-line = { $name }：{ $count } 个视频
bot-list-more = 查看某个成员的视频：{ $command }
bot-list-of = { $count ->
    [0] { $user } 在这里没有视频。
   *[other] { $user } 的 { $count } 个视频：
}
bot-list-rooms = { $count ->
    [0] 你还没有视频。在有我的房间里发送一个吧。
   *[other] 你有 { $count } 个视频：
}
bot-help-mine = 列出你自己的视频及其编号
bot-usage-mine = mine [PAGE]
bot-mine = { $count ->
    [0] 你还没有视频。发送一个，它就会在小组件里播放。
   *[other] 你的 { $count } 个视频：
}
bot-help-play = 给出观看某个视频或这个房间的链接
bot-usage-play = play [VIDEO]
bot-link-room = 观看这个房间：{ $link }
bot-link = 观看“{ $title }”：{ $link }
bot-link-public = 公开页面上的地址：{ $link }
bot-help-rename = 给视频换一个标题
bot-usage-rename = rename VIDEO TITLE
bot-renamed = “{ $before }”现在叫“{ $title }”。
bot-title-too-long = 标题长度为 1 到 { $most } 个字符。
bot-help-move = 改变视频在列表中的位置
bot-usage-move = move VIDEO PLACE|up|down|first|last
bot-moved = “{ $title }”现在是第 { $place } 个，共 { $count } 个。
bot-order-by-moderators = 在这个房间里，只有管理员可以调整视频顺序。
bot-help-hide = 对其他人隐藏视频
bot-usage-hide = hide VIDEO
bot-hidden = 其他人现在看不到“{ $title }”了。
bot-help-show = 重新显示隐藏的视频
bot-usage-show = show VIDEO
bot-shown = 房间里所有人又能看到“{ $title }”了。
bot-shown-waits = “{ $title }”不再隐藏。管理员批准你换上的内容后，其他人就能看到它。
bot-help-delete = 彻底删除视频
bot-usage-delete = delete VIDEO
bot-deleted = “{ $title }”已删除。
bot-deleted-undo = { $seconds } 秒之内可以撤回：{ $command }
bot-help-undelete = 恢复你刚刚删除的视频
bot-usage-undelete = undelete
bot-restored = “{ $title }”回来了。
bot-nothing-to-undelete = 没有可以恢复的视频：你在刚才几秒内没有删除任何视频。
bot-help-avatar = 把视频设为你在小组件里的头像，或取消
bot-usage-avatar = avatar VIDEO|off
bot-avatar-on = “{ $title }”现在是你的视频头像。
bot-avatar-off = “{ $title }”不再是你的视频头像。
bot-no-avatar = 你在这个房间没有视频头像。
bot-in-the-room = 请在相关的房间里发送这个命令。
bot-help-publish = 在你的公开页面上向所有人展示视频
bot-usage-publish = publish VIDEO
bot-published = 有链接的人现在都能看到“{ $title }”：{ $link }
bot-help-unpublish = 从你的公开页面撤回视频
bot-usage-unpublish = unpublish VIDEO
bot-unpublished = “{ $title }”已不在你的公开页面上。
bot-help-report = 告诉管理员某个视频有问题
bot-usage-report = report VIDEO [REASON]
bot-reported = 谢谢。管理员会查看“{ $title }”。
bot-report-own = 这是你自己的视频：请直接删除，不必举报。
bot-help-settings = 查看或更改你自己的设置
bot-usage-settings = settings [NAME VALUE|default]
bot-settings = 你的设置：
bot-settings-how = 更改设置：{ $command }
bot-setting-language = 我对你使用的语言：en、zh 或 zh-TW
bot-setting-add = 你发送的视频是否加入你的列表：on 或 off
bot-setting-on-leave = 你离开房间后视频如何处理：keep（保留）或 erase（删除）
bot-setting-changed = { $name } 现在是 { $value }。
bot-redacted = 视频已被删除。
bot-help-quota = 查看你已使用多少，以及最多可以使用多少
bot-usage-quota = quota
bot-quota = 目前的用量：
bot-quota-user = 你（所有房间）：{ $videos }，{ $size }
bot-quota-room = 这个房间：{ $videos }，{ $size }
bot-quota-server = 整个服务器：{ $videos }，{ $size }
bot-quota-videos = { $count } 个视频（最多 { $most } 个）
bot-quota-videos-any = { $count } 个视频（不限）
bot-quota-size = { $size } MiB（最多 { $most } MiB）
bot-quota-size-any = { $size } MiB（不限）
bot-quota-near-user = 你已使用每人上限的 { $percent }%。请删除不再需要的视频，以便继续发送新视频；用 { $command } 可以查看用量。
bot-quota-near-room = 这个房间已使用上限的 { $percent }%。请删除没人需要的视频，以便继续接收新视频；用 { $command } 可以查看用量。
bot-notice-quota = 服务器的容量（配置中的 limits.server）已使用 { $percent }%。达到 100% 后不再接收新视频。
bot-help-export = 把你的视频和我保存的有关你的资料打包成 zip
bot-usage-export = export
bot-export-here = 正在打包你的视频和资料，完成后会在这里给你链接。
bot-export-there = 正在打包你的视频和资料，完成后会在与我的私聊里给你链接。
bot-export-awaited = 你的视频和资料还在打包中，请等待链接。
bot-export-ready = 你的视频和资料已准备好（{ $size } MiB）：{ $link } 链接在 { $hours } 小时内有效；如果你的某个视频被删除，它会提前失效。请不要把它给别人：任何人拿到链接都能下载。
bot-export-disk-full = 服务器的磁盘太满，没能打包你的视频和资料。什么也没有丢失：请稍后再试，或告诉服务器的管理者。
bot-export-failed = 没能打包你的视频和资料。请稍后再试；如果一直这样，请告诉服务器的管理者。
bot-export-no-keys = 你的视频和资料已准备好，但其中有些来自加密聊天室，而你没有任何设备能读取加密消息：链接不会在不加密的情况下发送。请用支持加密的客户端（例如 Element）登录，然后再试一次。
bot-export-unserved = 你的视频和资料已准备好，但其中有些来自加密聊天室，而这台服务器目前无法加密消息：链接不会在不加密的情况下发送。请告诉服务器的管理者，修好后再试一次。
bot-help-forget-me = 彻底删除你在各处的所有视频，以及我保存的关于你的一切
bot-usage-forget-me = forget-me [yes]
bot-forget-sure = 这会删除{ $count ->
    [0] 我保存的关于你的一切
   *[other] 你的全部 { $count } 个视频以及我保存的关于你的一切
}，包括所有房间以及发送视频的消息。此操作无法撤销。若要执行：
bot-forgotten = 完成。{ $count ->
    [0] 我保存的关于你的一切都已删除。
   *[other] 你的 { $count } 个视频以及我保存的关于你的一切都已删除。
}

## 管理员的询问，以及机器人对管理员的询问

bot-help-queue = 等待处理的视频
bot-usage-queue = queue [PAGE]
bot-help-approve = 通过一个等待中的视频，让它播放
bot-usage-approve = approve VIDEO
bot-help-reject = 拒绝一个等待中的视频，并告诉发送者原因
bot-usage-reject = reject VIDEO [REASON]
bot-help-remove = 移除任何人的视频；原因会记入日志
bot-usage-remove = remove VIDEO [REASON]
bot-help-block = 移除一个视频，并且不再接收同一个文件
bot-usage-block = block VIDEO [REASON]
bot-help-unblock = 重新允许一个被屏蔽的文件
bot-usage-unblock = unblock #ID
bot-help-blocks = 被屏蔽的文件
bot-usage-blocks = blocks [PAGE]
bot-help-reports = 成员对视频的举报
bot-usage-reports = reports [PAGE]
bot-help-dismiss = 驳回对一个视频的举报；如果它因此在等待，就重新播放
bot-usage-dismiss = dismiss VIDEO
bot-help-room = 房间的设置：全部、其中一项，或改成新的值
bot-usage-room = room [!ROOM] [SETTING] [VALUE]
bot-help-enable = 为发送到这个加密聊天室的视频保留可播放的副本
bot-usage-enable = enable
bot-help-disable = 不再保留副本，并清除已有的全部
bot-usage-disable = disable [yes]
bot-not-encrypted = 这个聊天室没有加密：视频不需要这样就能播放。
bot-unserved-command = 这台服务器没有为加密聊天室设置好。它的运营者可以在 Roomreel 的 docs/encryption.md 里找到设置方法。
bot-enabled-before = 这里已经开启视频：由 { $user } 开启（{ $when }）。
bot-disable-sure = 这会清除{ $count ->
    [0] 这个聊天室的视频所保留的一切
   *[other] 这个聊天室全部 { $count } 个视频的副本，以及为它们保留的其他一切
}；也不再保留新的。消息本身会保留。此操作无法撤销。要执行，请发送：
bot-moderates-nothing = 在我所在的房间里，没有一个由你管理。
bot-queue = { $count ->
   *[other] 有 { $count } 个视频等待处理：
}
bot-queue-empty = 没有视频等待处理。
bot-queue-how = 要做决定，请发送例如 { $approve }，或者 “reject” 加上原因。
bot-queue-line = { $id } “{ $title }”，发送者 { $sender }，时长 { $length }：{ $why }
bot-held-for-approval = 等待批准
bot-held-for-reports = { $count ->
    [0] 被举报
   *[other] 被 { $count } 位成员举报
}
bot-held-for-policy = 发送者在策略名单上；管理员不能放行
bot-held-for-verdict = 正在检测；管理员不能放行
bot-held-for-quarantine = 已被服务器管理者隔离；管理员不能放行
bot-in-room = { $text }（{ $room }）
bot-because = { $text }：{ $reason }
bot-with-reason = { $text }原因：{ $reason }
bot-not-said-here = 加密聊天室里的视频，我不在这个没有加密的地方提起：请在那些聊天室里问我。
bot-held-by-others = 房间管理员不能处理这个视频：它由本服务器的管理者扣留。用 “remove” 可以把它彻底移除。
bot-not-waiting = 这个视频不在等待处理。
bot-approved = “{ $title }” 现在可以播放了。
bot-rejects = “{ $title }” 已移除，稍后会告诉发送者。
bot-removes = “{ $title }” 已移除。
bot-rejected = 管理员没有接受你的视频“{ $title }”。
bot-judged = 你的视频“{ $title }”没有通过本服务器的检测。
bot-blocks = “{ $title }” 已移除，同一个文件不会再被接收。{ $count ->
   *[other] 它在这里出现过 { $count } 次。
}
bot-cannot-block = 我对这个视频的文件了解还不够，无法屏蔽。如果它刚刚发送，请稍后再试；否则请用 { $command } 移除它
bot-no-blocks = 没有被屏蔽的文件。
bot-blocked = { $count ->
   *[other] 有 { $count } 个文件被屏蔽：
}
bot-blocked-line = { $id }，由 { $user } 于 { $day } 屏蔽
bot-unblock-how = 要重新允许其中一个，请发送例如 { $command }
bot-unblocked = 这个文件可以再发了。已移除的视频不会自动回来：请重新发送。
bot-no-such-block = 没有 id 以 #{ $id } 开头的被屏蔽文件。
bot-block-too-short = 有不止一个被屏蔽文件的 id 以 #{ $id } 开头。请多写几位。
bot-reports = { $count ->
   *[other] 有 { $count } 个视频被举报：
}
bot-no-reports = 没有视频被举报。
bot-reports-line = { $id } “{ $title }”，发送者 { $sender }，{ $count ->
   *[other] { $count } 次举报
}
bot-reports-how = 如果没有问题，请发送 { $dismiss }；如果有问题，请发送 { $remove }。
bot-reports-alone = 举报的具体内容我只在与我的单独对话中说，不会当众说。
bot-not-reported = 没有人举报过这个视频。
bot-dismissed = 对“{ $title }”的举报已驳回。
bot-moderators-add = 你的视频留在聊天里，但不会在小组件中播放：在这个房间只有管理员可以添加视频。如有需要，请与他们商量。
bot-longest = 这里的{ thing }最长可以是 { $length }（分:秒）。
bot-post-asks = { $sender } 把上面的视频（{ $length }）发到了“{ $room }”。
bot-post-asks-unseen = { $sender } 向“{ $room }”发送了一个视频（{ $length }）。
bot-post-spoiler = 它被标记为剧透，因此这里不显示画面：请在房间的小组件中查看。
bot-post-spoiler-because = 它被标记为剧透（“{ $reason }”），因此这里不显示画面：请在房间的小组件中查看。
bot-post-reported = { $count ->
   *[other] 有 { $count } 位成员举报了它。
}
bot-post-how = 用 { $yes } 回应就播放它，用 { $no } 回应就移除它。也可以发送 { $approve }，或 { $reject } 加上原因。
bot-post-approved = ✅ { $user } 已批准。
bot-post-rejected = ❌ { $user } 已拒绝。
bot-post-blocked = ❌ { $user } 已屏蔽。
bot-post-deleted = ❌ { $user } 已移除。
bot-post-gone = 它已被撤回：不需要再做决定了。
bot-post-settled = 不需要再做决定了。

## 房间的设置

bot-room = “{ $room }”的设置：
bot-room-how = 要更改，请发送设置的名称和新的值，例如 { $command }；“default” 会恢复默认值。
bot-which-room = 哪个房间？请用下面其中一个开头：
    { $rooms }
bot-no-such-room = 我不知道这个房间，或者你不在里面。
bot-no-such-setting = 没有“{ $name }”这个设置。可用的设置有：{ $names }
bot-no-such-setting-nearest = 没有“{ $name }”这个设置。你是不是想说“{ $meant }”？
bot-wrong-value = “{ $value }”不适合 { $name }。它的含义是：{ $meaning }
bot-longer-than-server = 本服务器只接收最长 { $most } 秒的视频。请选择不超过它的值。
bot-set = “{ $room }”的 { $name } 现在是 { $value }。
bot-moderators-room-same = 请选择另一个房间：否则这里的所有人都会看到等待处理的视频。
bot-moderators-room-unknown = 你和我都必须在那个房间里。请先邀请 { $bot } 进去，然后再试一次。
bot-moderators-room-others = 你不是那个房间的管理员：只有它自己的管理员才能让我在那里征求决定。
bot-moderators-room-open = 任何人都可以进入或阅读那个房间：请选择仅限邀请、且外人不能阅读历史记录的房间。
bot-moderators-room-chosen = { $user } 选择了这个房间来处理“{ $room }”的视频：那里有待审视频时，我会在这里询问。那个房间的管理员可以改用别的房间：{ $command }。
bot-moderators-room-encrypted = 那个房间已加密，而这台服务器没有设置好，不能在那里发送消息（Roomreel 的 docs/encryption.md 说明了方法）。请选择没有加密的房间。
bot-moderators-room-not-encrypted = 这个房间已加密，而那个房间没有：在那里就能看到这里等待审核的内容。请选择加密的房间。
bot-room-setting-language = 我说哪种语言：en、zh 或 zh-TW
bot-room-setting-add = 谁可以添加视频：members（成员）或 moderators（管理员）
bot-room-setting-hold = 谁的视频要等管理员批准：off（无人）、new（视频从未在这里播放过的成员）或 all（除管理员外的所有人）
bot-room-setting-order = 谁可以排列成员的视频：members（成员）或 moderators（管理员）
bot-room-setting-pin = 我放置小组件时是否把它置顶：on 或 off
bot-room-setting-max-length = 视频最长多少秒：不超过 86400 的数字；default：按服务器允许的长度
bot-room-setting-images = 图片是否加入播放列表：on 或 off
bot-room-setting-image-seconds = 每张图片显示多少秒：1 到 60
bot-room-setting-voice = 语音消息和其他声音是否加入播放列表：on 或 off
bot-room-setting-stickers = 贴纸和 GIF 是否加入播放列表：on 或 off
bot-room-setting-history = 我会在我来之前的多少条消息里寻找视频：0 到 1000
bot-room-setting-status = 我如何说明视频的进度：reactions（表情回应）、failures（仅在失败时）或 off
bot-room-setting-moderators-room = 我请求决定的房间 id；off：管理员用 “queue” 询问我
bot-room-setting-report-limit = 有多少次举报后视频要等管理员处理：1 到 100；0：从不
bot-room-setting-on-leave = 成员离开后其视频如何处理：keep（保留）或 erase（删除）
bot-help-status = 查看服务当前的运行情况
bot-usage-status = status
bot-status = Roomreel { $version }：{ $rooms } 个房间，共 { $count } 个视频。
bot-status-held = 暂不显示：{ $count }，其中被隔离：{ $quarantined }
bot-status-work = { $room } 中的 { $id } 正在处理：{ $percent } %
bot-status-disk = 磁盘：剩余 { $free }，共 { $total }
bot-status-disk-low = 磁盘空间快用完了：请清理空间，或换用更大的磁盘。
bot-help-stats = 查看统计：文件、用户、各类失败原因、排队的任务
bot-usage-stats = stats
bot-stats = { $count ->
    [0] 还没有视频。
   *[other] { $count } 个视频：
}
bot-stats-files = 占用磁盘 { $size }，总时长 { $length }
bot-stats-people = 发送者：{ $users }，房间：{ $rooms }
bot-stats-failed = 失败（{ $code }）：{ $count } 个——{ $reason }
bot-stats-queue = “{ $job }”任务：{ $waiting } 个等待，{ $work } 个进行中
bot-stats-oldest = 最早的已等待 { $seconds } 秒
bot-stats-idle = 没有等待中的任务
bot-help-rooms = 列出我所在的房间，占用最多的在前
bot-usage-rooms = rooms [PAGE]
bot-rooms = { $count ->
    [0] 我还没有加入任何房间。请邀请我。
   *[other] 我在 { $count } 个房间里：
}
bot-rooms-line = { $name } · 成员：{ $members } · 视频：{ $count } · { $size }
bot-rooms-encrypted = 已加密
bot-rooms-invited = 已被邀请，尚未加入
bot-help-users = 列出有视频的用户，占用最多的在前
bot-usage-users = users [PAGE]
bot-users = { $count ->
    [0] 还没有人发送视频。
   *[other] { $count } 位用户：
}
bot-users-line = { $user } · 视频：{ $count } · 房间：{ $rooms } · { $size }
bot-users-quarantined = 已隔离
bot-users-blocked = 配置中已禁用
bot-users-admin = 服务管理员
bot-no-such-page = 没有第 { $page } 页。
bot-no-such-id-anywhere = 找不到视频 #{ $id }。
bot-help-requeue = 让处理失败的视频重新开始
bot-usage-requeue = requeue #ID
bot-requeued = { $id } 会重新处理。
bot-not-failed = { $id } 没有失败，不需要重试。
bot-help-quarantine = 隔离一个视频或某人发送的所有视频，直到你解除；不带参数则列出隔离名单
bot-usage-quarantine = quarantine [#ID|@USER [REASON]]|[PAGE]
bot-quarantined = { $room } 中 { $user } 的视频 { $id } 已被隔离：谁都看不到它，房间管理员也不能让它显示。
bot-quarantined-user = { $user } 已被隔离：{ $count ->
    [0] 此人今后发送的视频谁都看不到
   *[other] 此人的 { $count } 个视频以及今后发送的视频谁都看不到
}。
bot-video-in-quarantine = { $id } 已经在隔离中。
bot-user-in-quarantine = { $user } 已经在隔离中。
bot-in-quarantine = { $count ->
    [0] 没有被隔离的内容。
   *[other] 隔离中（{ $count }）：
}
bot-help-block-everywhere = 在所有房间屏蔽一个文件以及看起来相同的视频；不带参数则列出屏蔽名单
bot-usage-block-everywhere = block-everywhere [#ID|SHA256 [REASON]]|[PAGE]
bot-blocks-everywhere = 已在所有房间屏蔽这个文件以及看起来相同的视频。{ $count ->
    [0] 没有需要移除的视频。
   *[other] 移除了 { $count } 个视频。
}
bot-help-unblock-everywhere = 让你在所有房间屏蔽的一个文件可以再发
bot-usage-unblock-everywhere = unblock-everywhere #ID
bot-help-release = 解除对视频或用户的隔离，一切恢复原状
bot-usage-release = release #ID|@USER
bot-released = { $id } 已解除隔离，恢复原状。
bot-released-user = { $user } 已解除隔离：{ $count ->
    [0] 没有被隔离的视频
   *[other] { $count } 个视频已恢复原状
}。
bot-video-not-in-quarantine = { $id } 不在隔离中。
bot-user-not-in-quarantine = { $user } 不在隔离中。单独隔离的视频请用它的 id 解除。
bot-help-undo = 撤销你作为服务管理员的上一个操作
bot-usage-undo = undo
bot-undo-how = 如需撤销：{ $command }
bot-nothing-to-undo = 没有可以撤销的操作：只能撤销你一天之内做的、并且之后没有继续进行的操作。
bot-requeue-undone = { $id } 不再重新处理。
bot-undeleted = { $id } 回来了。
bot-help-notices = 出问题时是否在管理房间里通知
bot-usage-notices = notices [on|off]
bot-notices-on = 通知已打开：出问题时我会在 { $room } 里说明。
bot-notices-off = 通知已关闭：出问题时我不会在 { $room } 里说明。
bot-admin-room-open = 任何人都可以进入或阅读这个房间：我不会在这里说只给管理员的内容。请改为仅限邀请，并且不要让外人阅读历史记录。
bot-notices-nowhere = 还没有用于通知的房间：请在配置的“appservice”部分设置“admin_room”，并邀请我加入。
bot-notice-video = { $count ->
    [one] 有一个文件（{ thing }）我处理不了：
   *[other] 有 { $count } 个文件我处理不了，最近的是{ thing }：
}{ $room } 中 { $user } 的 { $id }。我告诉发送者的原因：{ $reason }日志里有更多信息。如需重试：{ $command }
bot-notice-disk-low = 磁盘空间快用完了：只剩 { $free } MiB。请清理空间，否则视频会处理失败。
bot-notice-disk-enough = 磁盘又有空间了：剩余 { $free } MiB。
bot-notice-homeserver-back = 主服务器有 { $minutes } 分钟没有响应，现在已恢复。我会自动继续工作。
bot-policy-left = 我不再关注这个策略列表。
bot-room-banned = 我不能留在这里：本服务器关注的策略列表封禁了这个房间。
bot-help-policies = 查看我关注的策略列表，关注新的或取消关注
bot-usage-policies = policies [add|remove ROOM]
bot-policies = { $count ->
    [0] 我没有关注任何策略列表。
   *[other] 我关注着 { $count } 个策略列表：
}
bot-policies-how = 要关注一个，请发送：{ $command }
bot-policy-line = { $room }：{ $count } 条规则
bot-policy-unread = { $room }：还没有读取。它是公开的吗？或者邀请我了吗？
bot-policy-added = 从现在起我关注 { $room }。被它封禁的人不能添加或观看视频，我也不再回答他们。
bot-policy-known = 我已经在关注 { $room }，正在重新读取。
bot-policy-removed = 我不再关注 { $room }。因它而被扣留的视频会恢复。
bot-policy-unknown = 我没有关注 { $room }。
bot-policy-nowhere = 我找不到 { $room }。请给出房间的 id（!…）或地址（#…）。
bot-notice-verdict = 有 { $count } 个视频未能检测：{ $reason }。如何处理由配置项 `moderation.webhook.on_failure` 决定。
bot-notice-policy-list = 我无法读取策略列表 { $room }：{ $reason }
