# 小组件（widget-…）、机器人（bot-…）的文字，以及视频失败的原因（failure-…）：简体中文。

## The player

widget-title = 本房间的视频
widget-player = 播放器
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
widget-now-playing = 正在播放：{ $title }，来自 { $name }
widget-buffering = 加载中…
widget-stalled = 网络缓慢或已断开，正在重试…
widget-broken = 此浏览器无法播放这个视频。
widget-skip = 播放下一个
widget-untitled = 视频
widget-shortcuts = 快捷键：空格播放或暂停，J 和 L 后退或前进 10 秒，方向键调整进度和音量，N 和 P 切换视频，M 静音，F 全屏。

## Members and lists

widget-members = 选择要看谁的视频
widget-everyone = 所有人
widget-you = 你
widget-member-videos = { $name }，{ $count ->
    [0] 还没有视频
   *[other] { $count } 个视频
}
widget-list = 视频
widget-list-of = { $name } 的视频
widget-count = { $count ->
    [0] 还没有视频
   *[other] { $count } 个视频
}
widget-play-video = 播放 { $title }
widget-playing = 播放中
widget-paused = 已暂停
widget-state-queued = 排队中
widget-state-processing = 正在处理
widget-progress = 正在处理{ $title }
widget-progress-percent = { $percent }%
widget-progress-seconds = { $percent }%，约剩 { $count } 秒
widget-progress-minutes = { $percent }%，约剩 { $count } 分钟
widget-progress-qualities = 更清晰的画质：{ $progress }
widget-state-failed = 处理失败
widget-state-hidden = 已隐藏
widget-state-held = 等待管理员审核

## Nothing to see yet

widget-empty-room = 舞台属于你
widget-empty-room-hint = 在聊天中发送一个视频，它就会在这里为所有人播放。
widget-empty-member = { $name } 还没有发送视频
widget-empty-member-hint = 对方在聊天中发送视频后，就会在这里播放。
widget-empty-own = 你还没有发送视频
widget-empty-own-hint = 在聊天中发送一个视频，几秒钟后就会在这里播放。
widget-empty-waiting = 正在排队
widget-empty-waiting-hint = 其他视频先处理，轮到后会自动开始播放。
widget-empty-preparing = 马上就好
widget-empty-preparing-hint = 视频正在处理，完成后会自动开始播放。
widget-empty-failed = 暂时没有可播放的视频
widget-empty-failed-hint = 列表中说明了出错的原因和解决办法。

## Trouble

widget-loading = 正在加载本房间的视频…
widget-asking = 聊天应用正在询问是否允许 Roomreel 知道你的身份，请在那里选择“继续”。
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
widget-error-no-room = 链接中没有房间
widget-error-no-room-hint = 请让管理员重新添加 Roomreel 小组件：邀请机器人进房间，它会完成设置。
widget-error-unsupported = 此浏览器无法播放这些视频
widget-error-unsupported-hint = 请更新浏览器或聊天应用，或换用其他浏览器。

## Why a video could not be prepared, and what its sender can do

failure-empty-file = 文件是空的，请重新发送视频。
failure-not-a-video = 这个文件不是视频。请发送 MP4、MOV、WebM 或 MKV 文件。
failure-broken-file = 文件已损坏或没有发送完整，请重新发送。
failure-too-long = 视频超过了本房间允许的时长，请发送短一些的视频。
failure-too-large-picture = 画面尺寸太大。请降低分辨率后再发送，例如 4K 或 1080p。
failure-too-high-frame-rate = 视频每秒的画面太多。请以每秒 60 帧或更低的帧率保存后重新发送。
failure-too-many-streams = 文件中的轨道太多。请只保留一条画面轨和一条声音轨后重新发送。
failure-took-too-long = 处理视频的时间太长。请尝试更短或更小的视频。
failure-tool-missing = 服务器尚未配置好视频处理，请告知服务器的管理者。
failure-failed = 处理视频时出了问题，请重新发送。
failure-media-gone = 你的服务器上已经没有这个文件，请重新发送视频。
failure-media-too-large = 文件超过了服务器允许的大小，请发送小一些的文件。
failure-download-failed = 无法从你的服务器获取文件，请稍后重新发送。
failure-hash-mismatch = 文件在传输中被改动，因此没有使用。请重新发送。
failure-internal = 服务器出错了。请重新发送视频；如果问题仍然存在，请告知服务器的管理者。

## What the bot says in the room

bot-declined = 我不能在这里为你服务：请向本服务器的管理员申请使用权限。
bot-welcome = 这个聊天室现在有屏幕了。在聊天中发送视频，它就会在聊天室的小部件里播放；所有人的视频按顺序循环播放。要观看，请打开聊天室的“Roomreel”小部件，例如在电脑上的 Element 里。
bot-needs-power = 我没有权限把视频屏幕放进这个聊天室。请把 { $bot } 的权限级别设为 { $level }，或在聊天室设置里降低“修改小部件”的级别；之后我会自动重试。
bot-encrypted = 这个聊天室已加密，我目前还不能读取加密聊天室里的视频。请在未加密的聊天室里使用我。
bot-failed = “{ $title }”无法播放。{ $reason }
bot-untitled = 你的视频
