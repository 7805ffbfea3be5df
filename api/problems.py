"""Every refusal of the HTTP API as RFC 9457 problem+json; `PROBLEMS` is the only table from code to status and words.

A problem's `title` names the kind and its `detail` says what to do, in the caller's language. `rule` is the sentence of
the rule that refused, `facts` what it looked at. None of them repeats what the caller sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Scope

from domain.errors import DomainError

MEDIA_TYPE = "application/problem+json"


class Kind(NamedTuple):
    """One kind of problem. `do_*` is the next step for the caller; `retry_after` is in seconds."""

    status: int
    zh: str
    en: str
    do_zh: str
    do_en: str
    retry_after: int | None = None


# fmt: off
PROBLEMS: dict[str, Kind] = {
    # The request as such
    "bad_request": Kind(400, "请求有误", "Bad request", "请按接口文档检查请求。", "Check the request against the API reference."),
    "not_found": Kind(404, "没有找到", "Not found", "请核对地址和编号。", "Check the address and the number."),
    "method_not_allowed": Kind(405, "方法不允许", "Method not allowed", "请改用 Allow 头所列的方法。", "Use one of the methods in the Allow header."),
    "body_too_large": Kind(413, "请求体过大", "Body too large", "请缩短内容；附件请单独上传。", "Shorten the body; upload files separately."),
    "unsupported_media_type": Kind(415, "不支持的内容类型", "Unsupported media type", "请用 Content-Type: application/json 发送不压缩的 UTF-8 JSON。", "Send uncompressed UTF-8 JSON with Content-Type: application/json."),
    "invalid_json": Kind(400, "不是有效的 JSON", "Invalid JSON", "请用标准库生成 JSON 后重发。", "Produce the JSON with a library and send it again."),
    "body_not_utf8": Kind(400, "不是 UTF-8 编码", "Body is not UTF-8", "请把请求体改为 UTF-8 编码。", "Encode the body as UTF-8."),
    "nul_character": Kind(400, "含有空字符", "NUL character", "请去掉文本中的空字符（U+0000）。", "Remove the NUL character (U+0000) from the text."),
    "lone_surrogate": Kind(400, "含有不完整的字符", "Lone surrogate", "请去掉文本中不成对的代理字符。", "Remove the unpaired surrogate from the text."),
    "number_not_finite": Kind(400, "数字不是有限值", "Number is not finite", "请去掉 NaN、Infinity 和过大的小数。", "Remove NaN, Infinity and floats too large for a double."),
    "integer_out_of_range": Kind(400, "整数超出范围", "Integer out of range", "整数须在 64 位有符号范围内。", "Keep integers within 64 signed bits."),
    "duplicate_key": Kind(400, "对象中有重复的键", "Duplicate key", "同一对象中每个键只能出现一次。", "Use every key of an object once."),
    "nested_too_deep": Kind(400, "嵌套过深", "Nested too deeply", "对象和数组的嵌套不得超过 32 层。", "Nest objects and arrays at most 32 deep."),
    "validation_failed": Kind(422, "内容不符合要求", "Validation failed", "请按 errors 逐条改正。", "Correct what `errors` lists, one by one."),
    "invalid_cursor": Kind(400, "翻页游标无效", "Invalid cursor", "请从第一页重新开始，游标不要改动，筛选条件保持不变。", "Start again from the first page; pass the cursor unchanged with the same filters."),
    "invalid_filter": Kind(422, "筛选条件无效", "Invalid filter", "请按接口文档改正筛选条件。", "Correct the filter as the API reference says."),
    "too_many_requests": Kind(429, "请求过于频繁", "Too many requests", "请按 Retry-After 等待后再试。", "Wait as Retry-After says, then try again.", 1),
    # Who asks
    "unauthenticated": Kind(401, "未登录或令牌无效", "Not authenticated", "请带上有效令牌：Authorization: Bearer …", "Send a valid token: Authorization: Bearer …"),
    "forbidden": Kind(403, "没有权限", "Forbidden", "请联系管理员开通权限。", "Ask an administrator for access."),
    "not_permitted": Kind(403, "角色不允许此操作", "Not permitted for this role", "请由 facts.allowed 所列的人员办理。", "Have one of the people in facts.allowed do it."),
    "not_holder": Kind(403, "不是当前承办人", "Not the holder", "请由当前承办人办理，或请主管改派。", "Let the present holder act, or have a supervisor reassign it."),
    "outside_scope": Kind(403, "超出管辖范围", "Outside your scope", "请由该社区、网格或单位的人员办理。", "Have somebody of that community, grid or unit do it."),
    # The state of a demand or a meeting
    "stage_forbids": Kind(409, "当前阶段不能这样办理", "The stage forbids it", "请重新读取诉求，按 permitted 所列的操作办理。", "Read the demand again and choose from `permitted`."),
    "closed": Kind(409, "诉求已结案", "The demand is closed", "请提交新诉求，并注明原编号。", "Submit a new demand and name this number."),
    "not_started": Kind(503, "流程尚未启动", "Not started yet", "诉求已受理，流程即将启动；请用同一 Idempotency-Key 重试。", "The demand is accepted and its workflow is about to start; repeat with the same Idempotency-Key.", 2),
    "reply_required": Kind(422, "缺少公开答复", "A public reply is required", "请填写给群众的答复。", "Write the reply the resident will read."),
    "basis_required": Kind(422, "缺少依据", "A basis is required", "请填写依据。", "Give the basis."),
    "refusal_window_over": Kind(409, "退单期限已过", "The refusal window is over", "该单位已是责任单位；可申请延期或提请联席会议。", "The unit is responsible now; ask for an extension or escalate to the joint meeting."),
    "redo_limit": Kind(409, "重办次数已用完", "The redo limit is reached", "请提请联席会议。", "Escalate to the joint meeting."),
    "reopen_window_over": Kind(409, "重启期限已过", "The reopen window is over", "请提交新诉求，并注明原编号。", "Submit a new demand and name this number."),
    "not_on_agenda": Kind(409, "不在会议议程上", "Not on the agenda", "请重新读取会议议程。", "Read the meeting's agenda again."),
    # What a request names
    "unknown_category": Kind(422, "没有这个类别", "Unknown category", "请从 /api/v1/categories 选择末级类别。", "Choose a leaf from /api/v1/categories."),
    "unknown_place": Kind(422, "无法确定地点", "Unknown place", "请改用坐标、小区或 /api/v1/grids 所列的网格。", "Use coordinates, a compound, or a grid from /api/v1/grids."),
    "unknown_unit": Kind(422, "没有这个单位", "Unknown unit", "请从 /api/v1/units 选择。", "Choose one from /api/v1/units."),
    "unknown_community": Kind(422, "没有这个社区", "Unknown community", "请从 /api/v1/communities 选择。", "Choose one from /api/v1/communities."),
    "unknown_grid": Kind(422, "没有这个网格", "Unknown grid", "请从 /api/v1/grids 选择。", "Choose one from /api/v1/grids."),
    "unknown_compound": Kind(422, "没有这个小区", "Unknown compound", "请核对小区名称，或改用坐标。", "Check the compound's name, or use coordinates."),
    "unknown_property_unit": Kind(422, "没有这个物业单位", "Unknown property unit", "请核对物业单位编号。", "Check the property unit's id."),
    "unknown_meeting": Kind(404, "没有这个会议", "Unknown meeting", "请从 /api/v1/meetings 选择。", "Choose one from /api/v1/meetings."),
    "unknown_person": Kind(422, "没有这个人员", "Unknown person", "请核对人员编号。", "Check the person's id."),
    "idempotency_key_required": Kind(400, "缺少 Idempotency-Key", "Idempotency-Key is required", "请为每次办理生成一个新键，重试时沿用。", "Make a new key for each action and keep it on retries."),
    "idempotency_key_reused": Kind(422, "Idempotency-Key 已用于其他内容", "Idempotency-Key was used for another body", "请为新内容生成新键。", "Make a new key for a new body."),
    "idempotency_key_in_use": Kind(409, "同一请求正在处理", "The same request is being handled", "请稍后用同一键重试。", "Repeat with the same key in a moment.", 1),
    "external_ref_taken": Kind(409, "外部编号已登记", "External reference is taken", "该外部编号已有诉求，编号见 facts。", "A demand with this reference exists; facts name it."),
    # The service
    "unavailable": Kind(503, "服务暂时不可用", "Temporarily unavailable", "请按 Retry-After 等待后再试。", "Wait as Retry-After says, then try again.", 2),
    "outcome_unknown": Kind(503, "结果尚不确定", "The outcome is not known yet", "请用同一 Idempotency-Key 重试，不会重复办理。", "Repeat with the same Idempotency-Key; it will not be done twice.", 2),
    "calendar_exhausted": Kind(500, "工作日历没有可用的工作时间", "The working calendar has no time left", "请管理员检查工作日历。", "Have an administrator check the working calendar."),
    "internal": Kind(500, "系统内部错误", "Internal error", "请把 request_id 告诉管理员。", "Tell the administrator the request_id."),
}
# fmt: on

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def problem(code: str, rule: str | None = None, **facts: object) -> DomainError:
    """What a route raises to refuse: `raise problem("invalid_filter", "`stage` is one of …", allowed=[…])`."""
    return DomainError(code, rule or PROBLEMS[code].do_en, **facts)


def prefers_english(request: Request) -> bool:
    """Chinese unless Accept-Language ranks English above it (RFC 9110 §12.5.4)."""
    weights = {"zh": 0.0, "en": 0.0}
    for part in request.headers.get("accept-language", "")[:200].split(","):
        tag, _, quality = part.strip().partition(";")
        language = tag.partition("-")[0].lower()
        if language in weights:
            match = re.fullmatch(r"\s*q=(0(?:\.\d{1,3})?|1(?:\.0{1,3})?)\s*", quality)
            weights[language] = max(weights[language], float(match[1]) if match else 1.0)
    return weights["en"] > weights["zh"]


def problem_response(
    request: Request,
    code: str,
    *,
    rule: str | None = None,
    facts: Mapping[str, object] | None = None,
    errors: Sequence[Mapping[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build the answer. A code that is not in the table is a bug of ours and becomes `internal`."""
    if code not in PROBLEMS:
        code, rule, facts = "internal", None, None
    kind, english = PROBLEMS[code], prefers_english(request)
    advice = kind.do_en if english else kind.do_zh
    body: dict[str, object] = {
        "type": f"/docs/errors#{code}",
        "title": kind.en if english else kind.zh,
        "status": kind.status,
        # The rule's own sentence is the better advice where it is in the caller's language.
        "detail": rule if rule and bool(_CHINESE.search(rule)) is not english else advice,
        "instance": quote(request.scope["path"], errors="replace"),
        "code": code,
        **_request_marks(request.scope),
    }
    if rule:
        body["rule"] = rule
    if facts:
        body["facts"] = facts
    if errors is not None:
        body["errors"] = errors
    return Response(
        json.dumps(body, ensure_ascii=False, default=str).encode(errors="replace"),
        status_code=kind.status,
        media_type=MEDIA_TYPE,
        headers={**_headers_of(code, kind, facts or {}, english), **(headers or {})},
    )


def _request_marks(scope: Scope) -> dict[str, object]:
    state = scope.get("state", {})
    marks = {"request_id": state.get("request_id")}
    if "traceparent" in state:
        marks["trace_id"] = state["traceparent"].split("-")[1]
    return marks


def _headers_of(code: str, kind: Kind, facts: Mapping[str, object], english: bool) -> dict[str, str]:
    headers = {"Content-Language": "en" if english else "zh-CN", "Vary": "Accept-Language", "Cache-Control": "no-store"}
    if kind.retry_after is not None:
        headers["Retry-After"] = str(facts.get("retry_after_seconds", kind.retry_after))
    if code == "unauthenticated":
        headers["WWW-Authenticate"] = 'Bearer realm="linli"'
    return headers
