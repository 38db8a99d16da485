"""Videos, captions and pictures as HTTP answers. The caller has asked the permission table."""
from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse

from prescriptions.models import MotionPicture, MotionVideo

PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}      # every showing asks for permission again
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


def video(request: HttpRequest, row: MotionVideo | None) -> HttpResponse:
    """The MP4, in the parts that a player asks for: iPhones play nothing that is not sent so. `?download` keeps it.

    `row` comes with its files; None, or one that is not ready: 404.
    """
    content = bytes(_ready(row).mp4)
    headers = {**PRIVATE, "Accept-Ranges": "bytes", "Content-Disposition":
               f'{"attachment" if "download" in request.GET else "inline"}; filename="{row.file_name}"'}
    span = _span(request.headers.get("Range", ""), len(content))
    if span is None:
        return HttpResponse(content, content_type="video/mp4", headers=headers)
    start, end = span
    if start >= end:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
    return HttpResponse(content[start:end], status=206, content_type="video/mp4", headers=headers)


def captions(row: MotionVideo | None) -> HttpResponse:
    return HttpResponse(_ready(row).captions, content_type="text/vtt; charset=utf-8", headers=PRIVATE)


def poster(row: MotionVideo | None) -> HttpResponse:
    return HttpResponse(bytes(_ready(row).poster), content_type="image/jpeg", headers=PRIVATE)


def picture(row: MotionPicture | None) -> HttpResponse:
    if row is None:
        raise Http404("There is no such picture.")
    return HttpResponse(bytes(row.jpeg), content_type="image/jpeg", headers=PRIVATE)


def _ready(row: MotionVideo | None) -> MotionVideo:
    if row is None or not row.is_ready:
        raise Http404("There is no video yet.")
    return row


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """The part [start, end) that a Range header asks for; None for the whole. What is not one plain range is ignored,
    as RFC 9110 allows."""
    found = _RANGE.fullmatch(asked.strip())
    if not found or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size
