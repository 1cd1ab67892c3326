"""Write InstalledFiles.cmake anew after a file was added: `python CMake/list_files.py`."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESOURCES = ("Icons", "Models", "SampleData", "UI")
HEAD = "# What is installed beside DPLSegment.py; made by CMake/list_files.py, and a test compares it with the tree."


def main() -> None:
    """Every Python file of the library and every file of the resources that the module needs."""
    library = [path for path in sorted((ROOT / "DPLSegmentLib").rglob("*.py")) if "__pycache__" not in path.parts]
    folders = [sorted((ROOT / "Resources" / name).rglob("*")) for name in RESOURCES]
    resources = [path for paths in folders for path in paths if path.is_file()]
    lists = {"DPLSEGMENT_LIBRARY": library, "DPLSEGMENT_RESOURCES": resources}
    blocks = [f"set({name}\n" + "".join(map(_line, paths)) + ")\n" for name, paths in lists.items()]
    (ROOT / "CMake" / "InstalledFiles.cmake").write_text("\n".join([HEAD + "\n", *blocks]))


def _line(path: Path) -> str:
    return f"  {path.relative_to(ROOT).as_posix()}\n"


if __name__ == "__main__":
    main()
