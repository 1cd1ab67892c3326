"""What CMake copies and installs, and what the Extensions Index is told."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

LISTED_FOLDERS = ("Icons", "Models", "SampleData", "UI")
# The macros of Slicer and CTK that are called, each doing only the copying.
SLICER_CONFIG = """
set(Slicer_USE_FILE ${CMAKE_CURRENT_LIST_DIR}/Empty.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${CMAKE_CURRENT_LIST_DIR}/Empty.cmake)
set(Slicer_EXTENSION_CPACK ${CMAKE_CURRENT_LIST_DIR}/Empty.cmake)
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR lib/Slicer-5.12/qt-scripted-modules)
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR lib/Slicer-5.12/qt-scripted-modules)
set(BUILD_TESTING ON)
function(ctkMacroCompilePythonScript)
  cmake_parse_arguments(MY "NO_INSTALL_SUBDIR" "TARGET_NAME;DESTINATION_DIR;INSTALL_DIR" "SCRIPTS;RESOURCES" ${ARGN})
  foreach(file ${MY_SCRIPTS} ${MY_RESOURCES})
    configure_file(${CMAKE_CURRENT_SOURCE_DIR}/${file} ${MY_DESTINATION_DIR}/${file} COPYONLY)
  endforeach()
endfunction()
function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY "WITH_GENERIC_TESTS;WITH_SUBDIR" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_UNPARSED_ARGUMENTS OR NOT MY_NAME OR NOT MY_WITH_GENERIC_TESTS)
    message(FATAL_ERROR "wrong call")
  endif()
  foreach(file ${MY_SCRIPTS} ${MY_RESOURCES})
    configure_file(${file} ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}/${file} COPYONLY)
  endforeach()
endfunction()
function(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "SCRIPT" "" ${ARGN})
  file(WRITE ${CMAKE_BINARY_DIR}/unittest.txt "${MY_SCRIPT}")
endfunction()
"""


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    """The top-level CMakeLists.txt."""
    return (root / "CMakeLists.txt").read_text(encoding="utf-8")


def listed(root: Path, name: str) -> list[str]:
    """The files of a list in InstalledFiles.cmake."""
    content = (root / "CMake" / "InstalledFiles.cmake").read_text(encoding="utf-8")
    return re.search(rf"set\({name}\n(.*?)\)", content, re.DOTALL)[1].split()


def setting(text: str, name: str) -> str:
    """A quoted variable of CMakeLists.txt, with the address put in."""
    raw = re.search(r'set\(_raw "(.*?)"\)', text)[1]
    return re.search(rf'set\({name} "(.*?)"\)', text, re.DOTALL)[1].replace("${_raw}", raw)


def there(root: Path, folder: str, pattern: str = "*") -> list[str]:
    """Files below a folder, sorted, tracked by git or not yet."""
    found = [path for path in (root / folder).rglob(pattern) if path.is_file() and "__pycache__" not in path.parts]
    return sorted(path.relative_to(root).as_posix() for path in found)


def test_every_file_of_the_library_is_installed(root: Path) -> None:
    assert listed(root, "DPLSEGMENT_LIBRARY") == there(root, "DPLSegmentLib", "*.py")


def test_every_resource_is_installed(root: Path) -> None:
    expected = [name for folder in LISTED_FOLDERS for name in there(root, f"Resources/{folder}")]
    assert listed(root, "DPLSEGMENT_RESOURCES") == expected


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_cmake_puts_library_and_resources_beside_the_module(root: Path, tmp_path: Path) -> None:
    for name, content in (("SlicerConfig.cmake", SLICER_CONFIG), ("Empty.cmake", "")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    build = tmp_path / "build"
    command = ["cmake", "-S", str(root), "-B", str(build), f"-DSlicer_DIR={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    modules = build / "lib" / "Slicer-5.12" / "qt-scripted-modules"
    assert (modules / "DPLSegment.py").is_file() and (modules / "DPLSegmentLib" / "panel" / "widget.py").is_file()
    assert (modules / "Resources" / "UI" / "DPLSegment.ui").is_file()
    assert [path.name for path in modules.glob("*.py")] == ["DPLSegment.py"]
    assert (build / "unittest.txt").read_text() == "DPLSegment.py"


def test_the_project_has_the_name_of_the_extension(text: str) -> None:
    assert re.search(r"project\((\w+)", text)[1] == "DPLSegment"
    assert setting(text, "EXTENSION_DEPENDS") == "PyTorch" and setting(text, "EXTENSION_CATEGORY") == "Segmentation"
    assert "not a medical device" in setting(text, "EXTENSION_DESCRIPTION")


def test_icon_and_screenshots_lie_where_their_addresses_say(text: str, root: Path) -> None:
    addresses = f"{setting(text, 'EXTENSION_ICONURL')} {setting(text, 'EXTENSION_SCREENSHOTURLS')}".split()
    files = [root / address.split("/main/")[1] for address in addresses]
    assert [str(file) for file in files if not file.is_file()] == []


def test_the_entry_of_the_index_says_the_same_as_cmake(text: str, root: Path) -> None:
    entry = json.loads((root / "DPLSegment.json").read_text(encoding="utf-8"))
    assert entry["build_dependencies"] == [setting(text, "EXTENSION_DEPENDS")]
    assert entry["category"] == setting(text, "EXTENSION_CATEGORY")
    assert entry["scm_url"] == setting(text, "EXTENSION_HOMEPAGE") + ".git"
    assert set(entry) == {
        "$schema", "build_dependencies", "build_subdirectory", "category", "scm_revision", "scm_url", "tier"
    }  # fmt: skip


def test_the_old_description_file_says_the_same_as_cmake(text: str, root: Path) -> None:
    lines = (root / "DPLSegment.s4ext").read_text(encoding="utf-8").splitlines()
    said = dict(line.split(" ", 1) for line in lines if " " in line and line[0] != "#")
    for key, name in {
        "depends": "DEPENDS",
        "category": "CATEGORY",
        "iconurl": "ICONURL",
        "description": "DESCRIPTION",
        "homepage": "HOMEPAGE",
        "screenshoturls": "SCREENSHOTURLS",
    }.items():
        assert said[key] == setting(text, f"EXTENSION_{name}"), key
