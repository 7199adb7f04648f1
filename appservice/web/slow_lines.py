"""Reports of players whose line is too slow for the only rung of a video: the lower ones are made then.

Who may be served a video may report. Players that run none of our code, such as native ones behind a plain link, report
nothing: for them, lower rungs are made while the service is idle.
"""

from aiohttp import web

from appservice import metrics
from appservice.core.model import VideoId
from appservice.web.context import CONTEXT, Context
from appservice.web.limits import Limit, address_of
from appservice.web.media import open_video
from appservice.web.media_paths import UUID, VIEWER
from appservice.web.public import USER, public_video

routes = web.RouteTableDef()


@routes.post(VIEWER + rf"/v/{{id:{UUID}}}/slow")
async def slow_line(request: web.Request) -> web.Response:
    """Have the lower rungs of a video made. Raises NotFoundError when the viewer may not be served it."""
    context, video_id, _ = await open_video(request)
    # Of a membership, by whatever sign-in.
    context.limits.count(Limit.SLOW_LINES, ".".join(request.match_info["scope"].split(".")[:2]))
    return await _want(context, video_id)


@routes.post(USER + rf"/v/{{id:{UUID}}}/slow")
async def slow_line_of_public_page(request: web.Request) -> web.Response:
    """Have the lower rungs of a published video made. Raises NotFoundError when there is none."""
    context = request.app[CONTEXT]
    context.limits.count(Limit.SLOW_LINES, address_of(request, context.config.web.trusted_proxies))
    return await _want(context, (await public_video(request)).id)


async def _want(context: Context, video_id: VideoId) -> web.Response:
    if await context.stores.lower_rungs.want(video_id):
        metrics.LOWER_RUNGS.labels(outcome="wanted").inc()
    return web.Response(status=204)
