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
    "span_too_long": Kind(422, "时间跨度过长", "The span is too long", "请缩短时间跨度。", "Ask for a shorter span."),
    "too_many_requests": Kind(429, "请求过于频繁", "Too many requests", "请按 Retry-After 等待后再试。", "Wait as Retry-After says, then try again.", 1),
    # Who asks
    "unauthenticated": Kind(401, "未登录或令牌无效", "Not authenticated", "请带上有效令牌：Authorization: Bearer …", "Send a valid token: Authorization: Bearer …"),
    "forbidden": Kind(403, "没有权限", "Forbidden", "请联系管理员开通权限。", "Ask an administrator for access."),
    "not_permitted": Kind(403, "角色不允许此操作", "Not permitted for this role", "请由 facts.allowed 所列的人员办理。", "Have one of the people in facts.allowed do it."),
    "not_holder": Kind(403, "不是当前承办人", "Not the holder", "请由当前承办人办理，或请主管改派。", "Let the present holder act, or have a supervisor reassign it."),
    "outside_scope": Kind(403, "超出管辖范围", "Outside your scope", "请由该社区、网格或单位的人员办理。", "Have somebody of that community, grid or unit do it."),
    "scope_required": Kind(403, "密钥没有此权限", "The key lacks a scope", "请换用带有 facts.scope 的密钥；没有列出的接口不能用密钥访问。", "Use a key with the scope in facts.scope; without one there, no key opens this."),
    "cross_site": Kind(403, "请求来自其他网站", "The request comes from another site", "请在本系统的页面上操作；程序请带 Origin 头，或改用 API 密钥。", "Act on a page of this installation; a program sends Origin, or uses an API key."),
    "code_refused": Kind(401, "编号或查询码不对", "Number and code do not fit", "请核对编号和查询码；查询码遗失的，请致电热线重新获取。", "Check both; where the code is lost, the hotline gives you another one."),
    "link_over": Kind(410, "链接已失效", "The link is over", "请打开最近一条消息中的链接，或用编号和查询码查询。", "Open the link of the latest message, or use number and code."),
    "link_used": Kind(409, "您已评价过", "Answered already", "您的评价见 facts.answer，每次回访只能评价一次；如问题没有解决，可在期限内申请重新办理。", "Your answer is in facts.answer; each asking takes one. If it is not solved, ask to have it reopened in time."),
    "password_refused": Kind(422, "密码不符合要求", "The password is refused", "请换一个更长、不常见的密码；rule 写明原因。", "Choose a longer, less common one; `rule` says why."),
    "user_taken": Kind(409, "用户名已被占用", "The user name is taken", "请换一个用户名；每个人员只有一个。", "Choose another one; a person has one only."),
    "key_over": Kind(409, "密钥已失效", "The key is over", "请新建密钥。", "Make a new key."),
    # Personal data
    "reason_required": Kind(422, "须写明理由", "A reason is required", "请从 facts.reasons 中选择理由，以 reason 提交。", "Send one of facts.reasons as `reason`."),
    "masked_value": Kind(422, "这是脱敏后的内容", "The value is masked", "脱敏内容不能写回：请填写完整的真实内容，或不提交该项。", "A masked value is never written back: send the whole true value, or leave the field out."),
    "personal_data_erased": Kind(410, "个人信息已清除", "The personal data is erased", "个人信息已按规定清除，不能恢复；办理记录仍可查询。", "It has been erased for good; the demand's log can still be read."),
    # The state of a demand or a meeting
    "stage_forbids": Kind(409, "当前阶段不能这样办理", "The stage forbids it", "请重新读取诉求，按 permitted 所列的操作办理。", "Read the demand again and choose from `permitted`."),
    "closed": Kind(409, "诉求已结案", "The demand is closed", "请提交新诉求，并注明原编号。", "Submit a new demand and name this number."),
    "not_started": Kind(503, "流程尚未启动", "Not started yet", "诉求已受理，流程即将启动；请用同一 Idempotency-Key 重试。", "The demand is accepted and its workflow is about to start; repeat with the same Idempotency-Key.", 2),
    "merged": Kind(409, "与另一诉求合并办理", "Handled with another demand", "请到主诉求（facts.primary）办理，或先撤销合并（unmerge）。", "Act on the demand it follows (facts.primary), or send `unmerge` first."),
    "merge_circle": Kind(409, "不能这样合并", "That would be a circle", "请换一个主诉求，或反过来合并。", "Name another primary, or merge the other way round."),
    "reply_required": Kind(422, "缺少公开答复", "A public reply is required", "请填写给群众的答复。", "Write the reply the resident will read."),
    "evidence_required": Kind(422, "缺少办理结果照片", "Evidence is required", "请先上传现场照片或文件，再把编号写入 file_ids。", "Upload a photo or a document of the result and name its id in `file_ids`."),
    "basis_required": Kind(422, "缺少依据", "A basis is required", "请填写依据。", "Give the basis."),
    "refusal_window_over": Kind(409, "退单期限已过", "The refusal window is over", "该单位已是责任单位；可申请延期或提请联席会议。", "The unit is responsible now; ask for an extension or escalate to the joint meeting."),
    "redo_limit": Kind(409, "重办次数已用完", "The redo limit is reached", "请提请联席会议。", "Escalate to the joint meeting."),
    "reopen_window_over": Kind(409, "重启期限已过", "The reopen window is over", "请提交新诉求，并注明原编号。", "Submit a new demand and name this number."),
    "co_task_open": Kind(409, "协办事项尚未完成", "A co-unit's part is open", "请等待协办单位完成，或用 co_release 撤回协办。", "Wait for the co-unit, or take its part back with `co_release`."),
    "not_on_agenda": Kind(409, "不在会议议程上", "Not on the agenda", "请重新读取会议议程。", "Read the meeting's agenda again."),
    "no_session": Kind(409, "会议没有在开", "No session is open", "请先召集并宣布开会；facts 写明下次会议时间。", "Open the session that is called, or convene an extra one; facts say what is called."),
    "session_open": Kind(409, "已有会议在开", "A session is open already", "请先结束正在开的会议。", "Close the session that is open first."),
    "no_quorum": Kind(409, "到会单位不足法定数", "No quorum", "请登记到会单位；人数仍不足的，结束会议，事项顺延。", "Record the units that have come, or close the session: its items roll over."),
    "late_item": Kind(409, "议题逾期提交", "The item is late", "须经本次会议主席同意后列入：发送 consent。", "The chair of the session may let it in: send `consent`."),
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
    "unknown_service": Kind(422, "服务菜单中没有这项服务", "Unknown service", "请从 /api/v1/menu 选择。", "Choose one from /api/v1/menu."),
    "service_not_offered": Kind(422, "该社区没有这项服务", "The service is not offered there", "请从该社区的服务菜单 /api/v1/menu?community=… 选择。", "Choose one from the menu of that community."),
    "unknown_care_group": Kind(422, "没有这个重点人群类别", "Unknown care group", "请从 /api/v1/care-groups 选择。", "Choose one from /api/v1/care-groups."),
    "unknown_project": Kind(422, "没有这个项目", "Unknown project", "请从 /api/v1/projects 选择未结束的项目。", "Choose an open one from /api/v1/projects."),
    "project_ended": Kind(409, "项目已结束", "The project has ended", "请先重启项目，或另立项目。", "Reopen the project, or open another one."),
    "project_unfinished": Kind(409, "项目还有未完成的节点", "The project has unfinished milestones", "请先完成或删除 facts.milestones 所列的节点。", "Finish or remove the milestones in facts.milestones."),
    "idempotency_key_required": Kind(400, "缺少 Idempotency-Key", "Idempotency-Key is required", "请为每次办理生成一个新键，重试时沿用。", "Make a new key for each action and keep it on retries."),
    "idempotency_key_reused": Kind(422, "Idempotency-Key 已用于其他内容", "Idempotency-Key was used for another body", "请为新内容生成新键。", "Make a new key for a new body."),
    "idempotency_key_in_use": Kind(409, "同一请求正在处理", "The same request is being handled", "请稍后用同一键重试。", "Repeat with the same key in a moment.", 1),
    "external_ref_taken": Kind(409, "外部编号已登记", "External reference is taken", "该外部编号已有诉求，编号见 facts。", "A demand with this reference exists; facts name it."),
    "too_many_references": Kind(409, "外部编号过多", "Too many external references", "请先删除不用的外部编号。", "Take one that is not needed away first."),
    # Files, imports and exports
    "multipart_required": Kind(415, "需要 multipart/form-data", "multipart/form-data is required", "请用 multipart/form-data 上传，文件放在名为 file 的部分。", "Send multipart/form-data with the file in a part named `file`."),
    "multipart_invalid": Kind(400, "上传格式有误", "Invalid multipart body", "请按接口文档组成各部分，每次上传一个文件。", "Build the parts as the API reference says; one file a request."),
    "file_too_large": Kind(413, "文件过大", "File too large", "请压缩后再上传；上限见 facts.max_bytes。", "Make it smaller; facts.max_bytes says how large it may be."),
    "upload_too_slow": Kind(408, "上传超时", "The upload took too long", "请压缩文件，或在网络较好时重试。", "Make the file smaller, or try again with a better connection."),
    "unsupported_file": Kind(415, "不支持的文件类型", "Unsupported file type", "请上传 JPEG、PNG、WebP 图片或 PDF。", "Upload a JPEG, PNG or WebP picture, or a PDF."),
    "file_broken": Kind(422, "文件已损坏", "The file is broken", "文件为空、不完整或无法读取，请重新选择。", "It is empty, cut off or unreadable; choose it again."),
    "picture_too_large": Kind(422, "图片像素过多", "Too many pixels", "请缩小图片后再上传；上限见 facts.max_pixels。", "Make the picture smaller; facts.max_pixels says how many pixels it may have."),
    "too_many_files": Kind(409, "未使用的文件过多", "Too many unattached files", "请先把已上传的文件附到诉求上；未使用的一天后自动删除。", "Attach those you have uploaded; what is not attached goes after a day."),
    "import_unreadable": Kind(422, "文件无法导入", "The file cannot be imported", "请按 rule 所述改正文件：首行须为列名，格式为 CSV 或 XLSX。", "Correct the file as `rule` says: its first line names the columns, and it is CSV or XLSX."),
    "import_over": Kind(409, "导入已结束", "The import is over", "已导入的诉求保留；如有需要请另行办理。", "What it has taken in stays; handle those demands one by one."),
    "too_many_imports": Kind(409, "未完成的导入过多", "Too many imports at once", "请等待现有导入完成。", "Wait until those that run are over."),
    "export_too_long": Kind(422, "导出内容过多", "The export is too long", "请缩小筛选范围，或改用 CSV。", "Filter more narrowly, or take CSV."),
    "unknown_matter": Kind(422, "没有这个事项", "Unknown matter", "请重新核对草稿后再提交，或不合并、单独提交。", "Look at the draft again, or submit it by itself."),
    "unknown_file": Kind(422, "没有这个文件", "Unknown file", "请先上传，再使用返回的编号。", "Upload it first and use the id of the answer."),
    "file_taken": Kind(409, "文件已用于其他诉求", "The file belongs to another demand", "请为这件诉求重新上传。", "Upload it again for this demand."),
    # Publishing
    "publication_invalid": Kind(422, "发布内容有误", "The publication is not valid", "请按 facts.problems 逐条改正：每条写明位置、问题和改法。", "Correct what facts.problems lists; each names the key and the remedy."),
    "already_published": Kind(409, "已经发布过", "Already published", "内容或版本号与现有的相同；请更改后再发布。", "It stands like this already; change it, or give it a new version."),
    "published_meanwhile": Kind(409, "刚有其他发布", "Something else was published meanwhile", "请重新试算，再发布。", "Look at a dry run again, then publish."),
    # Routing
    "ruling_over": Kind(409, "常设决定已终止", "The ruling is over", "该决定已被撤销或更早到期，无需再撤销。", "It was revoked or ends earlier; there is nothing to revoke."),
    # The rotating chair
    "not_on_roster": Kind(422, "该单位不在轮值名册中", "The unit is not on the roster", "请从 facts.roster 中选择。", "Choose one of facts.roster."),
    "not_their_turn": Kind(409, "该单位在该期没有轮值", "It is not that unit's turn", "请查看 /api/v1/rotation/{community} 的年历；该期轮值单位见 facts.chairs。", "Look at the calendar of /api/v1/rotation/{community}; facts.chairs has the turn."),
    "turn_over": Kind(409, "该轮值期已开始或已过", "The turn has begun or is over", "已开始的轮值期不能跳过或对调；可对余下日期登记代理或指定主持。", "Enter a substitute or an override for the days that are left."),
    "rotation_conflict": Kind(409, "与其他轮值变更冲突", "It meets another change of the rotation", "请先撤销 facts.changes 所列的变更、改选日期，或指定主持。", "Revoke what facts.changes lists, choose other days, or enter an override."),
    "may_not_chair": Kind(422, "该人员不能主持", "The person may not chair there", "请选择该社区轮值单位的联络员或社区书记。", "Name the liaison of a unit on the roster, or the community's secretary."),
    # Changing the district
    "changed_meanwhile": Kind(412, "已被他人更改", "Changed meanwhile", "请重新读取，在新版本上修改，再带新的 ETag 提交。", "Read it again, enter your change there, and send the new ETag as If-Match."),
    "if_match_required": Kind(428, "缺少 If-Match", "If-Match is required", "请先读取，再把 ETag 作为 If-Match 提交。", "Read it first, and send its ETag as If-Match."),
    "change_scheduled": Kind(409, "已有排定的变更", "A change is scheduled already", "请先撤销 facts.publication 所指的变更，或把生效时间定在其后。", "Cancel the one in facts.publication first, or let yours count from then on or later."),
    "not_scheduled": Kind(409, "不是待生效的变更", "It is not yet to take effect", "已生效的不能撤销；请发布新的内容。", "What has taken effect cannot be cancelled; publish how it shall be instead."),
    "unit_retired": Kind(409, "单位已停用", "The unit is retired", "请先用 PUT 提交完整的单位以恢复。", "PUT the whole unit to bring it back."),
    "unit_has_tasks": Kind(409, "单位还有在办事项", "The unit has open tasks", "请写明 hand_over_to（由谁接办），或 keep_running（由原单位办完）。", "Say `hand_over_to`, who takes them over, or `keep_running`: it works them off."),
    "days_over": Kind(409, "日期已过", "These days have passed", "已过的日期不再更改；请从今天或以后开始，或只改结束日期。", "Begin today or later, or change only the last day."),
    # Figures
    "unknown_definition": Kind(422, "没有这个口径", "No such definition", "请从 facts.known 中选择，或不写 definition。", "Take one of facts.known, or leave out `definition`."),
    "rank_needs_property_grade": Kind(422, "排名须按物业等级", "A ranking needs the property grade", "只在同一物业等级内排名：by=property_grade,grid 等。", "Rank within a property grade: `by=property_grade,grid` and the like."),
    "month_not_kept": Kind(409, "该月尚未存档", "The month is not kept", "请先存档：POST …/months/{month}。", "Keep the month first: POST …/months/{month}."),
    "second_person_required": Kind(403, "须由他人审批", "A second person is required", "申请人不能审批自己的申请，请由另一名主管审批。", "Who asked does not decide. Let another supervisor do it."),
    "exclusion_decided": Kind(409, "剔除申请的状态不允许", "The exclusion's state forbids it", "请重新读取；状态见 facts.state。", "Read it again; facts.state says how it stands."),
    "exclusion_overlaps": Kind(409, "已有剔除申请", "There is an exclusion already", "该诉求当月该指标已有申请，编号见 facts.exclusion。", "One names this figure of this demand for the month; facts.exclusion says which."),
    "month_not_over": Kind(409, "该月尚未结束", "The month is not over", "请在该月结束后再保存；当前数字可直接查询。", "Keep it once the month is over; until then read the figures as they are."),
    # Webhooks
    "webhook_url_refused": Kind(422, "不能推送到该地址", "The URL cannot be used", "请改用互联网可达的 https 地址；内网地址须由管理员用 LINLI_WEBHOOK_ALLOW 放行；原因见 facts.reason。", "Take an https URL that the internet can reach, or have the operator allow its network by LINLI_WEBHOOK_ALLOW; see facts.reason."),
    "not_forwardable": Kind(422, "不能转办到该系统", "Cannot be forwarded there", "请核对单位、类别和保密标记；原因见 rule。", "Check the unit, the category and the confidentiality flag; `rule` says which."),
    "forwarding_state": Kind(409, "转办当前状态不允许此操作", "Not possible for this forwarding now", "请先查看转办状态。", "Look at the forwarding's state first."),
    "webhook_limit": Kind(409, "推送订阅已达上限", "Too many webhooks", "请删除或修改现有的订阅。", "Delete one you have, or change it."),
    "unknown_event_type": Kind(422, "没有这种事件类型", "Unknown event type", "请从 facts.known 中选择。", "Take one of facts.known."),
    # Messages
    "contact_invalid": Kind(422, "联系方式无效", "The address is not valid", "请按该渠道的要求填写地址。", "Write it as the channel takes it."),
    "no_contact": Kind(409, "没有登记该渠道的联系方式", "No address for this channel", "请先登记自己在该渠道的联系方式。", "Enter your own address for this channel first."),
    "channel_not_configured": Kind(409, "该渠道尚未配置", "The channel is not set up", "请管理员在系统设置中配置该渠道。", "Have an administrator set it up."),
    "nothing_to_replay": Kind(409, "没有可重发的消息", "Nothing to send anew", "该通知的消息均已送达或正在发送。", "Everything of it is delivered or on its way."),
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
        headers={**_headers_of(code, kind, facts or {}, english), **_announced(request.scope), **(headers or {})},
    )


def _request_marks(scope: Scope) -> dict[str, object]:
    state = scope.get("state", {})
    marks = {"request_id": state.get("request_id")}
    if "traceparent" in state:
        marks["trace_id"] = state["traceparent"].split("-")[1]
    return marks


def _announced(scope: Scope) -> Mapping[str, str]:
    """That the operation will be taken away (api/deprecation.py)."""
    told: Mapping[str, str] = scope.get("state", {}).get("announced", {})
    return told


def _headers_of(code: str, kind: Kind, facts: Mapping[str, object], english: bool) -> dict[str, str]:
    headers = {"Content-Language": "en" if english else "zh-CN", "Vary": "Accept-Language", "Cache-Control": "no-store"}
    if kind.retry_after is not None:
        headers["Retry-After"] = str(facts.get("retry_after_seconds", kind.retry_after))
    if code == "unauthenticated":
        headers["WWW-Authenticate"] = 'Bearer realm="linli"'
    return headers
