"""The tree of an advertiser: accounts, campaigns, ad groups, ads, audiences, conversion actions, with ids and names.

Ids look like those of the platforms (Google 10 digits, Meta 17, TikTok 19) and depend on the advertiser only. Everything here is a
function of (profile, seed, anchor), never of the period written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from marketing_agents.sample.profile import UTC_PLATFORMS, AccountProfile, ActionIdea, AdvertiserProfile, CampaignIdea, Role
from marketing_agents.sample.streams import Streams, digits

_ID_LENGTH = {"google_ads": 11, "meta_ads": 17, "tiktok_ads": 19, "linkedin_ads": 10, "microsoft_ads": 10, "pinterest_ads": 13}
_CTR = {
    "google_ads": 0.055,
    "microsoft_ads": 0.048,
    "meta_ads": 0.0125,
    "tiktok_ads": 0.0095,
    "linkedin_ads": 0.0062,
    "pinterest_ads": 0.0070,
}
_CTR_OF_ROLE = {"brand": 3.0, "generic": 1.0, "shopping": 0.25, "prospecting": 1.0, "retargeting": 1.25, "other": 0.9}
_CLICK_COST_OF_ROLE = {"brand": 0.5, "generic": 1.15, "shopping": 0.7, "prospecting": 1.0, "retargeting": 0.95, "other": 0.9}
_TARGET_OF_ROLE = {"brand": 0.4, "generic": 1.0, "shopping": 0.85, "prospecting": 1.1, "retargeting": 0.65, "other": 1.0}
_EXISTING_OF_ROLE = {"brand": 0.42, "generic": 0.2, "shopping": 0.26, "prospecting": 0.05, "retargeting": 0.55, "other": 0.25}
_FORMATS = {
    "google_ads": ("rsa", "rsa", "image"),
    "microsoft_ads": ("rsa", "rsa", "image"),
    "meta_ads": ("video", "image", "carousel"),
    "tiktok_ads": ("video", "spark", "video"),
    "linkedin_ads": ("image", "document", "video"),
    "pinterest_ads": ("image", "video", "carousel"),
}
_HOOKS = (
    "Founder story",
    "Before / after",
    "Three reasons",
    "Customer quote",
    "Unboxing",
    "How it works",
    "Price first",
    "Question hook",
    "Side by side",
)
_ADS_PER_GROUP = {"meta_ads": (5, 6), "tiktok_ads": (6, 7)}
"""Fewest and most ads of an ad group: what the delivery of these platforms wants to choose from. Elsewhere three or four."""
_GROUPS = ("Core", "Lookalike 1%", "Interest stack", "Broad match", "Exact", "New visitors", "High intent")
MEAN_CREDIT = 0.95  # Google counts parts of conversions, see `reporting.py`
SEARCH_PLATFORMS = frozenset({"google_ads", "microsoft_ads"})
VISITORS, BUYERS, LOOKALIKE, INTERESTS = range(4)
"""The audiences of a social account by number. Buyers are excluded from prospecting, and the lookalike is made from them."""


@dataclass(frozen=True)
class Action:
    action_id: str
    idea: ActionIdea


@dataclass(frozen=True)
class Account:
    account_id: str
    name: str
    profile: AccountProfile
    time_zone: str
    actions: tuple[Action, ...]

    @property
    def platform(self) -> str:
        return self.profile.platform

    @property
    def primary_actions(self) -> tuple[Action, ...]:
        return tuple(action for action in self.actions if action.idea.is_primary)


@dataclass(frozen=True)
class Campaign:
    """`daily_spend`, `click_cost`, `target_cpa` in base currency; `target_cpa` is None where the advertiser's default holds."""

    campaign_id: str
    name: str
    account: int
    idea: CampaignIdea
    daily_spend: float
    click_cost: float
    click_rate: float
    conversion_rate: float
    target_cpa: float | None
    existing_share: float
    launched: date
    paused: date | None
    flight_end: date | None


@dataclass(frozen=True)
class AdGroup:
    adgroup_id: str
    name: str
    campaign: int
    share: float
    audience_ids: tuple[str, ...]


@dataclass(frozen=True)
class Ad:
    """`share` of the ad group's spend; the two indices multiply the campaign's rates."""

    ad_id: str
    name: str
    adgroup: int
    share: float
    click_index: float
    conversion_index: float
    format: str
    paused: date | None


@dataclass(frozen=True)
class Structure:
    """Lists in tree order: the ads of an ad group, the ad groups of a campaign, the campaigns of an account are contiguous."""

    accounts: tuple[Account, ...]
    campaigns: tuple[Campaign, ...]
    adgroups: tuple[AdGroup, ...]
    ads: tuple[Ad, ...]

    def account_of(self, campaign: Campaign) -> Account:
        return self.accounts[campaign.account]

    def find_account(self, platform: str) -> int:
        """Position of the advertiser's account on a platform."""
        for i, account in enumerate(self.accounts):
            if account.platform == platform:
                return i
        raise ValueError(f"the profile has no account on {platform!r}; it has: {', '.join(a.platform for a in self.accounts)}")

    def find_campaign(self, platform: str, theme: str) -> int:
        """Position of the campaign with a theme on a platform."""
        themes = {c.idea.theme: i for i, c in enumerate(self.campaigns) if self.account_of(c).platform == platform}
        if theme not in themes:
            raise ValueError(f"the profile has no campaign with the theme {theme!r} on {platform!r}; it has: {', '.join(themes)}")
        return themes[theme]

    def adgroups_of(self, campaign: int) -> list[int]:
        return [i for i, group in enumerate(self.adgroups) if group.campaign == campaign]

    def ads_of(self, adgroup: int) -> list[int]:
        return [i for i, ad in enumerate(self.ads) if ad.adgroup == adgroup]


def build_structure(profile: AdvertiserProfile, streams: Streams, anchor: date) -> Structure:
    """Draw the tree of one advertiser."""
    draw = streams.of("structure")
    accounts = tuple(_account(profile, account) for account in profile.accounts)
    campaigns: list[Campaign] = []
    adgroups: list[AdGroup] = []
    ads: list[Ad] = []
    for a, account in enumerate(accounts):
        total = sum(idea.weight for idea in account.profile.campaigns if idea.paused_before_anchor is None)
        for idea in account.profile.campaigns:
            entity_number = len(campaigns) + 1
            campaigns.append(
                _campaign(
                    profile,
                    account,
                    idea,
                    index=a,
                    weight=idea.weight / total,
                    cpa_index=draw.uniform(0.78, 0.87),
                    anchor=anchor,
                    number=entity_number,
                )
            )
            groups = profile.adgroups_per_campaign or (1 if idea.weight < 0.01 else int(draw.integers(2, 4)))
            group_shares = _balanced_shares(draw.uniform(0.75, 1.25, size=groups))
            for g in range(groups):
                adgroups.append(_adgroup(account, len(campaigns) - 1, idea.role, g, group_shares[g], len(adgroups) + 1))
                fewest, most = _ADS_PER_GROUP.get(account.platform, (3, 4))
                n = profile.ads_per_adgroup or int(draw.integers(fewest, most + 1))
                shares = _ad_shares(draw.uniform(0.8, 1.2, size=n), weak=n > 3 and bool(draw.uniform() < 0.3))
                # Indices are kept close to 1, with the ad's share known, so that the campaign's own rate stays what its target asks for.
                click_index, conversion_index = draw.uniform(0.9, 1.1, size=n), draw.uniform(0.94, 1.06, size=n)
                fate, hook, age = draw.uniform(size=n), draw.integers(0, len(_HOOKS), size=n), draw.integers(12, 80, size=n)
                for i in range(n):
                    is_paused = n > fewest and i == n - 1 and fate[i] < 0.25
                    ads.append(
                        Ad(
                            ad_id=_entity_id(account, "ad", len(ads) + 1),
                            name=(idea.first_ad_name if g == i == 0 else "") or _ad_name(profile, len(ads), _HOOKS[int(hook[i])], i),
                            adgroup=len(adgroups) - 1,
                            share=shares[i],
                            click_index=float(click_index[i]),
                            conversion_index=float(conversion_index[i]),
                            format=_FORMATS[account.platform][i % 3],
                            paused=anchor - timedelta(days=int(age[i])) if is_paused else None,
                        )
                    )
    return Structure(accounts, tuple(campaigns), tuple(adgroups), tuple(ads))


def _balanced_shares(weights: object) -> list[float]:
    import numpy as np

    values = np.asarray(weights, dtype=float)
    return [float(v) for v in values / values.sum()]


def _ad_shares(weights: object, *, weak: bool) -> list[float]:
    """Shares of the ads; a weak last ad hardly serves, so that it has days without a row."""
    import numpy as np

    values = np.asarray(weights, dtype=float).copy()
    if weak:
        values[-1] = 0.002 * values.sum()
    return _balanced_shares(values)


def _account(profile: AdvertiserProfile, account: AccountProfile) -> Account:
    seed = f"{profile.advertiser.id}|{account.platform}"
    zone = "UTC" if account.platform in UTC_PLATFORMS else profile.advertiser.time_zone
    actions = tuple(Action(digits(f"{seed}|action|{idea.name}", 9), idea) for idea in profile.actions)
    return Account(digits(seed, 10), f"{profile.advertiser.name} – {account.platform.removesuffix('_ads')}", account, zone, actions)


def _entity_id(account: Account, kind: str, number: int) -> str:
    length = _ID_LENGTH[account.platform]
    return digits(f"{account.account_id}|{kind}", length - 5) + f"{number:05d}"


def _campaign(
    profile: AdvertiserProfile,
    account: Account,
    idea: CampaignIdea,
    *,
    index: int,
    weight: float,
    cpa_index: float,
    anchor: date,
    number: int,
) -> Campaign:
    default_target = float(profile.advertiser.target_cpa or 0)
    target = default_target * _TARGET_OF_ROLE[idea.role]
    credit = MEAN_CREDIT if account.platform == "google_ads" else 1.0
    click_cost = account.profile.click_cost * _CLICK_COST_OF_ROLE[idea.role]
    return Campaign(
        campaign_id=_entity_id(account, "campaign", number),
        name=idea.name or f"{profile.regions[0]} | {idea.role} | {idea.theme}",
        account=index,
        idea=idea,
        daily_spend=profile.daily_spend * account.profile.spend_share * weight,
        click_cost=click_cost,
        click_rate=min(0.3, _CTR[account.platform] * _CTR_OF_ROLE[idea.role]),
        conversion_rate=min(0.4, click_cost / (target * cpa_index * credit)),
        target_cpa=None if idea.role in {"brand", "other"} else round(target, 2),
        existing_share=_EXISTING_OF_ROLE[idea.role],
        launched=anchor - timedelta(days=idea.launched_before_anchor or 400 + number),
        paused=None if idea.paused_before_anchor is None else anchor - timedelta(days=idea.paused_before_anchor),
        flight_end=None if idea.flight_left_at_anchor is None else anchor + timedelta(days=idea.flight_left_at_anchor),
    )


def _adgroup(account: Account, campaign: int, role: Role, position: int, share: float, number: int) -> AdGroup:
    audiences: tuple[str, ...] = ()
    if account.platform not in SEARCH_PLATFORMS:
        target = VISITORS if role == "retargeting" else (LOOKALIKE, INTERESTS)[number % 2]
        audiences = (audience_id(account, target), *([audience_id(account, BUYERS)] if role == "prospecting" else []))
    return AdGroup(
        _entity_id(account, "adgroup", number), f"{_GROUPS[(position + number) % len(_GROUPS)]} {position + 1}", campaign, share, audiences
    )


def audience_id(account: Account, number: int) -> str:
    """Id of the n-th audience of an account."""
    return digits(f"{account.account_id}|audience", 8) + f"{number:03d}"


def _ad_name(profile: AdvertiserProfile, number: int, hook: str, position: int) -> str:
    odd = profile.odd_ad_names
    if odd and number % 7 == 3 and number // 7 < len(odd):
        return odd[number // 7]
    return f"{hook} v{number % 5 + 1} #{position + 1}"
