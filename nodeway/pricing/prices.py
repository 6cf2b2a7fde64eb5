"""The price list, prices.json beside this file. Edit the file for another Region or your own rates.

Each figure has its unit, its source and a status: `verified` if it was read there, or `assumed`, which the tables mark.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from nodeway.config.model import Block, Region
from nodeway.errors import ConfigError

PRICES = Path(__file__).resolve().parent / "prices.json"


class Price(Block):
    """One figure: a price, or a quantity that the estimate assumes."""

    value: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    unit: Annotated[str, Field(min_length=1)]
    status: Literal["verified", "assumed"]
    source: Annotated[str, Field(min_length=1)]
    note: str = ""


class Figures(Block):
    """All figures of an estimate."""

    fargate_vcpu_hour: Price
    fargate_gb_hour: Price
    interface_endpoint_hour: Price
    interface_endpoint_gb: Price
    nat_gateway_hour: Price
    public_ipv4_hour: Price
    resolver_address_hour: Price
    hosted_zone_month: Price
    lambda_request_million: Price
    lambda_gb_second: Price
    lambda_seconds_per_run: Price
    logs_gb: Price
    logs_gb_per_cluster: Price
    alarm_month: Price
    dashboard_month: Price
    metric_month: Price
    cross_az_gb: Price
    nlb_hour: Price
    nlcu_hour: Price
    lattice_resource_hour: Price
    lattice_gb: Price
    lattice_billed_per_name: Price
    resource_endpoint_hour: Price
    resource_endpoint_gb: Price
    tgw_attachment_hour: Price
    tgw_gb: Price
    envoys: Price
    envoy_vcpu: Price
    envoy_gb: Price


class Prices(Block):
    """The price list, with its Region and date."""

    region: Region
    as_of: Annotated[str, Field(pattern=r"^20\d\d-[01]\d(-[0-3]\d)?$")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    prices: Figures


def load_prices(path: Path = PRICES) -> Prices:
    """Loads the price list of this file; raises ConfigError for an invalid one."""
    try:
        return Prices.model_validate_json(path.read_bytes())
    except OSError as error:
        msg = f"the price list {path} cannot be read: {error.strerror}; restore it from the repository"
        raise ConfigError(msg) from error
    except ValidationError as error:
        first, *others = error.errors()
        key = ".".join(map(str, first["loc"])) or "the file"
        more = f" (and {len(others)} more)" if others else ""
        msg = (
            f"the price list {path.name} is invalid: {key}: {first['msg']}{more}; each figure is"
            ' {"value", "unit", "status": "verified" or "assumed", "source"}'
        )
        raise ConfigError(msg) from error
