"""The 19 places of the widespread pain index on two figures, seen from in front and from behind; layout alone, no medicine."""

from __future__ import annotations

from collections.abc import Mapping

PLACES: dict[str, tuple[int, int, int, int]] = {
    # left edge, top, width, height on a grid of 240 by 210; from in front the person's left is on the right
    "jaw_r": (47, 24, 12, 10), "jaw_l": (61, 24, 12, 10),
    "shoulder_girdle_r": (26, 42, 20, 14), "shoulder_girdle_l": (74, 42, 20, 14),
    "upper_arm_r": (18, 58, 14, 28), "upper_arm_l": (88, 58, 14, 28),
    "lower_arm_r": (12, 88, 14, 32), "lower_arm_l": (94, 88, 14, 32),
    "chest": (40, 58, 40, 24), "abdomen": (42, 84, 36, 24),
    "upper_leg_r": (40, 126, 18, 36), "upper_leg_l": (62, 126, 18, 36),
    "lower_leg_r": (40, 164, 18, 38), "lower_leg_l": (62, 164, 18, 38),
    "neck": (170, 30, 20, 12), "upper_back": (158, 46, 44, 30), "lower_back": (162, 78, 36, 24),
    "hip_l": (158, 104, 21, 22), "hip_r": (181, 104, 21, 22),
}  # fmt: skip
SIDES = {"l": "left", "r": "right"}
STATES = {True: "hurt", False: "free", None: "open"}


def named(site: str) -> str:
    """`hip_l` as `left hip`."""
    place, _, side = site.rpartition("_")
    return f"{SIDES[side]} {place.replace('_', ' ')}" if side in SIDES else site.replace("_", " ")


def shapes(sites: Mapping[str, bool]) -> list[dict[str, object]]:
    """A rectangle per place: where it lies, its name, and whether it hurt (`hurt`, `free`, `open`: not asked)."""
    return [
        {"x": x, "y": y, "width": w, "height": h, "name": named(site), "state": STATES[sites.get(site)]}
        for site, (x, y, w, h) in PLACES.items()
    ]


def caption(sites: Mapping[str, bool]) -> str:
    """Which places hurt, in words."""
    hurt = [named(site) for site in PLACES if sites.get(site)]
    return f"{len(hurt)} of {len(PLACES)} places hurt: {', '.join(hurt)}." if hurt else "No place hurt."
