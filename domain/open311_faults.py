"""What Open311 GeoReport v2 refuses: codes whose first three digits are the HTTP status, with words for a person.

Several can be told at once. The words never repeat what the caller sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import DomainError

FAULTS: dict[str, tuple[str, str]] = {
    "400001": ("缺少 jurisdiction_id", "jurisdiction_id is missing"),
    "400002": ("缺少 service_code", "service_code is missing"),
    "400003": ("缺少 {about}", "{about} is missing"),
    "400010": ("需要提供经纬度、地址或地址编号之一", "Send lat and long, address_string or address_id"),
    "400011": ("缺少必填项 {about}", "The required field {about} is missing"),
    "400012": ("{about} 的值不符合定义", "The value of {about} does not fit its definition"),
    "400013": ("{about} 的值不正确", "The value of {about} is not valid"),
    "400014": ("lat 和 long 须同时提供，且在取值范围内", "Send lat and long together, each within its range"),
    "400020": ("{about} 须为带时区、不带小数秒的时间", "{about} must be a date-time with an offset and no fractions"),
    "400021": ("时间跨度超过 90 天", "The span is longer than 90 days"),
    "400022": ("时间窗口内的更新过多，请缩短窗口", "The window holds too many updates; ask for a shorter one"),
    "400030": ("{about} 过长", "{about} is too long"),
    "400031": ("请求体过大，或字段过多", "The body is too large or has too many fields"),
    "400032": ("请用 application/x-www-form-urlencoded 提交", "Send application/x-www-form-urlencoded"),
    "400033": ("请求体不是 UTF-8 编码", "The body is not UTF-8"),
    "400034": ("此处不接收文件，请改用 media_url", "Files are not taken here; send media_url"),
    "400040": ("同一 update_id 已用于其他内容", "This update_id was used for another update"),
    "400041": ("该诉求已最终关闭，请提交新诉求", "The request is closed for good; send a new one"),
    "400042": ("目前不能这样更新", "The request cannot be updated like this now"),
    "400090": ("请求有误", "The request is not valid"),
    "403001": ("缺少 api_key，或 api_key 无效", "api_key is missing or not valid"),
    "403002": ("该 api_key 无权进行此操作", "This api_key may not do that"),
    "404000": ("没有这个资源；地址须以 .xml 或 .json 结尾", "No such resource; an address ends in .xml or .json"),
    "404001": ("没有这个 jurisdiction_id", "There is no such jurisdiction_id"),
    "404002": ("没有这个 service_code", "There is no such service_code"),
    "404003": ("没有这个 service_request_id", "There is no such service_request_id"),
    "404004": ("没有这个 token", "There is no such token"),
    "405001": ("方法不允许", "Method not allowed"),
    "429001": ("请求过于频繁，请稍后再试", "Too many requests; try again later"),
    "500001": ("系统内部错误", "Internal error"),
    "503001": ("服务暂时不可用，请稍后重发", "Temporarily unavailable; send it again later"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; `about` names the parameter, in our words or the definition's, never a value."""

    code: str
    about: str = ""

    @property
    def status(self) -> int:
        return int(self.code[:3])

    def said(self, *, english: bool) -> str:
        return FAULTS[self.code][english].format(about=self.about)


class Refused(DomainError):
    """A request of an Open311 client that was refused, with everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("validation_failed", faults[0].said(english=True))
        self.faults = tuple(faults)

    @property
    def status(self) -> int:
        """The status of the first: what is looked at first decides."""
        return self.faults[0].status


def refused(code: str, about: str = "") -> Refused:
    """`raise refused("404003")`"""
    return Refused([Fault(code, about)])
