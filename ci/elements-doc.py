#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the pads, properties and signals in docs/elements.md, from the elements of a build directory.

    ci/elements-doc.py BUILD_DIR            writes docs/elements.md
    ci/elements-doc.py BUILD_DIR --check    changes nothing; prints a diff and fails if the file is out of date

Run the first command after a change of a property, a description, a pad or a signal; ci/test.sh runs the second one.
Text outside of the marked parts is kept:

    <!-- elements-doc: NAME -->  ...  <!-- /elements-doc -->

NAME is an element, or `formats` for the raw formats that the elements read. Every element of the plugin needs such a
part. The part of an element that the build lacks (two with -Davformat=disabled) is kept unchanged.

The elements are inspected in this process, through GObject; no other plugin is loaded. Output that depends on the
machine is omitted: caps of CUDA memory, which need a driver, paths, and versions.
"""
import ctypes
import difflib
import os
import re
import sys
import textwrap

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT = os.path.join(ROOT, "docs", "elements.md")
PLUGIN = "codecpatch"
OUR_TYPES = "Cps"  # prefix of the names of codecpatch's GObject types
PART = re.compile(r"(<!-- elements-doc: (\S+) -->\n)(.*?)(<!-- /elements-doc -->\n)", re.DOTALL)

# GLib's fundamental types, by their number.
FUNDAMENTAL = {
    number << 2: name
    for number, name in ((5, "boolean"), (6, "int"), (7, "uint"), (10, "int64"), (11, "uint64"), (12, "enum"),
                         (14, "float"), (15, "double"), (16, "string"), (18, "boxed"), (20, "object"))
}
NUMBERS = {"int": ctypes.c_int, "uint": ctypes.c_uint, "int64": ctypes.c_int64, "uint64": ctypes.c_uint64,
           "float": ctypes.c_float, "double": ctypes.c_double}
# The limits of integer types. A range that reaches one is described as unlimited on that side.
NO_LIMIT = {-(1 << 63), -(1 << 31), (1 << 31) - 1, (1 << 32) - 1, (1 << 63) - 1, (1 << 64) - 1}

READABLE, WRITABLE = 1 << 0, 1 << 1
MUTABLE_READY, MUTABLE_PAUSED, MUTABLE_PLAYING = 1 << 10, 1 << 11, 1 << 12
SIGNAL_ACTION = 1 << 5


class ParamSpec(ctypes.Structure):
    _fields_ = [("type_class", ctypes.POINTER(ctypes.c_size_t)), ("name", ctypes.c_char_p), ("flags", ctypes.c_int),
                ("value_type", ctypes.c_size_t), ("owner_type", ctypes.c_size_t), ("nick", ctypes.c_char_p),
                ("blurb", ctypes.c_char_p), ("qdata", ctypes.c_void_p), ("ref_count", ctypes.c_uint),
                ("param_id", ctypes.c_uint)]


class EnumValue(ctypes.Structure):
    _fields_ = [("value", ctypes.c_int), ("name", ctypes.c_char_p), ("nick", ctypes.c_char_p)]


class EnumClass(ctypes.Structure):
    _fields_ = [("type", ctypes.c_size_t), ("minimum", ctypes.c_int), ("maximum", ctypes.c_int),
                ("n_values", ctypes.c_uint), ("values", ctypes.POINTER(EnumValue))]


class List(ctypes.Structure):
    pass


List._fields_ = [("data", ctypes.c_void_p), ("next", ctypes.POINTER(List)), ("previous", ctypes.POINTER(List))]


class PadTemplate(ctypes.Structure):  # GstStaticPadTemplate, up to its caps
    _fields_ = [("name", ctypes.c_char_p), ("direction", ctypes.c_int), ("presence", ctypes.c_int)]


class SignalQuery(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint), ("name", ctypes.c_char_p), ("type", ctypes.c_size_t), ("flags", ctypes.c_int),
                ("return_type", ctypes.c_size_t), ("n_params", ctypes.c_uint),
                ("param_types", ctypes.POINTER(ctypes.c_size_t))]


def functions(library, **signatures):
    """Declares functions of a library: name = (result, argument...)."""
    for name, (result, *arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments


def load(build):
    """Loads the libraries, with only the plugin of `build` in the registry."""
    os.environ.update(GST_PLUGIN_PATH_1_0="", GST_PLUGIN_PATH="", GST_PLUGIN_SYSTEM_PATH_1_0="", GST_PLUGIN_SYSTEM_PATH="",
                      GST_REGISTRY_DISABLE="yes")
    path, size, pointer, text = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p
    integer, unsigned = ctypes.c_int, ctypes.c_uint
    gobject = ctypes.CDLL("libgobject-2.0.so.0")
    gst = ctypes.CDLL("libgstreamer-1.0.so.0")
    functions(
        gobject,
        g_type_name=(text, size), g_type_parent=(size, size), g_type_fundamental=(size, size),
        g_type_class_ref=(pointer, size),
        g_object_class_list_properties=(ctypes.POINTER(ctypes.POINTER(ParamSpec)), pointer, ctypes.POINTER(unsigned)),
        g_param_spec_get_default_value=(pointer, ctypes.POINTER(ParamSpec)),
        g_param_spec_get_blurb=(text, ctypes.POINTER(ParamSpec)),
        g_value_get_boolean=(integer, pointer), g_value_get_enum=(integer, pointer), g_value_get_int=(integer, pointer),
        g_value_get_uint=(unsigned, pointer), g_value_get_int64=(ctypes.c_int64, pointer),
        g_value_get_uint64=(ctypes.c_uint64, pointer), g_value_get_float=(ctypes.c_float, pointer),
        g_value_get_double=(ctypes.c_double, pointer), g_value_get_string=(text, pointer),
        g_signal_list_ids=(ctypes.POINTER(unsigned), size, ctypes.POINTER(unsigned)),
        g_signal_query=(None, unsigned, ctypes.POINTER(SignalQuery)))
    functions(
        gst,
        gst_init=(None, pointer, pointer), gst_plugin_load_file=(pointer, path, pointer),
        gst_registry_get=(pointer,), gst_registry_add_plugin=(integer, pointer, pointer),
        gst_registry_get_feature_list_by_plugin=(ctypes.POINTER(List), pointer, text),
        gst_plugin_feature_load=(pointer, pointer), gst_object_get_name=(text, pointer),
        gst_element_factory_get_type=(size,), gst_element_factory_get_element_type=(size, pointer),
        gst_element_factory_get_metadata=(text, pointer, text),
        gst_element_factory_get_static_pad_templates=(ctypes.POINTER(List), pointer),
        gst_static_pad_template_get_caps=(pointer, pointer), gst_caps_is_any=(integer, pointer),
        gst_caps_get_size=(unsigned, pointer), gst_caps_get_structure=(pointer, pointer, unsigned),
        gst_caps_get_features=(pointer, pointer, unsigned), gst_caps_features_get_size=(unsigned, pointer),
        gst_caps_features_contains=(integer, pointer, text), gst_structure_get_name=(text, pointer),
        gst_structure_get_value=(pointer, pointer, text), gst_value_serialize=(text, pointer))
    # Once the library is loaded, the dynamic loader resolves the plugin's dependency by name.
    ctypes.CDLL(os.path.join(build, "gst", "codecpatch", "libgstcodecpatch-1.0.so.0"), mode=ctypes.RTLD_GLOBAL)
    gst.gst_init(None, None)
    plugin = os.path.join(build, "gst", "elements", "libgstcodecpatch.so")
    if not gst.gst_plugin_load_file(os.fsencode(plugin), None):
        sys.exit(f"error: {plugin} does not load")
    return gobject, gst


def items(head):
    while head:
        yield head.contents.data
        head = head.contents.next


class Elements:
    """Inspects the elements of the plugin."""

    def __init__(self, build):
        self.gobject, self.gst = load(build)
        features = self.gst.gst_registry_get_feature_list_by_plugin(self.gst.gst_registry_get(), PLUGIN.encode())
        factory_type = self.gst.gst_element_factory_get_type()
        self.factories = {}
        for feature in items(features):
            # A GObject begins with its class, and a class with its type.
            kind = ctypes.cast(ctypes.cast(feature, ctypes.POINTER(ctypes.c_void_p))[0], ctypes.POINTER(ctypes.c_size_t))[0]
            if kind == factory_type:
                self.factories[self.gst.gst_object_get_name(feature).decode()] = feature

    def type_name(self, number):
        return self.gobject.g_type_name(number).decode()

    def element_type(self, name):
        return self.gst.gst_element_factory_get_element_type(self.factories[name])

    def metadata(self, name, key):
        return self.gst.gst_element_factory_get_metadata(self.factories[name], key.encode()).decode()

    def properties(self, name):
        """Returns codecpatch's properties as rows: name, type, range, default, when it may be set, description."""
        count = ctypes.c_uint()
        klass = self.gobject.g_type_class_ref(self.element_type(name))
        specs = self.gobject.g_object_class_list_properties(klass, ctypes.byref(count))
        return [self.row(specs[i]) for i in range(count.value)
                if self.type_name(specs[i].contents.owner_type).startswith(OUR_TYPES)]

    def row(self, pointer):
        spec = pointer.contents
        kind, limits, default, details = self.value(pointer)
        blurb = self.gobject.g_param_spec_get_blurb(pointer).decode()
        return spec.name.decode(), kind, limits, default, when(spec.flags), "<br>".join([blurb, *details])

    def value(self, pointer):
        """Returns type, range, default and the meaning of the values."""
        spec = pointer.contents
        value = self.gobject.g_param_spec_get_default_value(pointer)
        full = self.type_name(spec.value_type)
        kind = FUNDAMENTAL.get(self.gobject.g_type_fundamental(spec.value_type), full)
        if kind == "boolean":
            return kind, "", "true" if self.gobject.g_value_get_boolean(value) else "false", []
        if kind == "enum":
            return self.enumeration(spec, self.gobject.g_value_get_enum(value))
        if kind == "string":
            text = self.gobject.g_value_get_string(value)
            return kind, "", text.decode() if text else "", []
        if kind in NUMBERS:
            return kind, span(*self.limits(pointer, NUMBERS[kind], 2)), number(
                getattr(self.gobject, "g_value_get_" + kind)(value)), []
        if full == "GstFraction":
            least, _, most, _, *default = self.limits(pointer, ctypes.c_int, 6)
            return "fraction", span(least, most), "/".join(map(str, default)), []
        if full == "GstValueArray":
            element = self.limits(pointer, ctypes.POINTER(ParamSpec), 1)[0]
            return f"array of {FUNDAMENTAL[element.contents.value_type]}", "", "<>", []
        if kind in ("object", "boxed"):
            return full, "", "", []
        sys.exit(f"error: {spec.name.decode()}: this script does not know the type {full}")

    @staticmethod
    def limits(pointer, kind, count):
        """Returns the numbers after the common part of a param spec."""
        start = ctypes.addressof(pointer.contents) + ctypes.sizeof(ParamSpec)
        return list((kind * count).from_address(start))

    def enumeration(self, spec, default):
        klass = ctypes.cast(self.gobject.g_type_class_ref(spec.value_type), ctypes.POINTER(EnumClass)).contents
        values = [klass.values[i] for i in range(klass.n_values)]
        nicks = {value.value: value.nick.decode() for value in values}
        return "enum", "", nicks[default], [f"`{value.nick.decode()}`: {value.name.decode()}" for value in values]

    def structures(self, caps):
        """Returns the formats in system memory, because caps of other kinds of memory depend on the machine."""
        for i in range(self.gst.gst_caps_get_size(caps)):
            features = self.gst.gst_caps_get_features(caps, i)
            if (not features or self.gst.gst_caps_features_get_size(features) == 0 or
                    self.gst.gst_caps_features_contains(features, b"memory:SystemMemory")):
                yield self.gst.gst_caps_get_structure(caps, i)

    def pads(self, name):
        rows = []
        for template in items(self.gst.gst_element_factory_get_static_pad_templates(self.factories[name])):
            pad = ctypes.cast(template, ctypes.POINTER(PadTemplate)).contents
            rows.append((pad.name.decode(), ("always", "sometimes", "on request")[pad.presence],
                         self.media_types(self.gst.gst_static_pad_template_get_caps(template))))
        return sorted(rows)  # `sink` before `src`

    def media_types(self, caps):
        if self.gst.gst_caps_is_any(caps):
            return "any"
        names = {}
        for structure in self.structures(caps):
            media_type = self.gst.gst_structure_get_name(structure).decode()
            formats = self.listed(structure, b"format") if media_type == "video/x-raw" else []
            of_formats = f" in `{formats[0]}`" if len(formats) == 1 else " in [these formats](#formats)" if formats else ""
            names[f"`{media_type}`" + of_formats] = None
        return ", ".join(names)

    def listed(self, structure, field):
        """Returns the values of a field that has one text or a list of texts; none if there is no such field."""
        value = self.gst.gst_structure_get_value(structure, field)
        names = re.sub(r"\(string\)|[{}]", "", self.gst.gst_value_serialize(value).decode()) if value else ""
        return [name.strip() for name in names.split(",") if name]

    def formats(self):
        for template in items(self.gst.gst_element_factory_get_static_pad_templates(self.factories["patchenergy"])):
            caps = self.gst.gst_static_pad_template_get_caps(template)
            return self.listed(next(self.structures(caps)), b"format")

    def signals(self, name):
        rows, kind = [], self.element_type(name)
        while self.type_name(kind).startswith(OUR_TYPES):
            count = ctypes.c_uint()
            ids = self.gobject.g_signal_list_ids(kind, ctypes.byref(count))
            for i in range(count.value):
                query = SignalQuery()
                self.gobject.g_signal_query(ids[i], ctypes.byref(query))
                # One bit of a type means that the value is not copied.
                arguments = ", ".join(self.type_name(query.param_types[j] & ~1) for j in range(query.n_params))
                rows.append((query.name.decode(), "action" if query.flags & SIGNAL_ACTION else "signal", arguments,
                             self.type_name(query.return_type & ~1).replace("void", "")))
            kind = self.gobject.g_type_parent(kind)
        return rows


def when(flags):
    if not flags & WRITABLE:
        return "read-only"
    if flags & MUTABLE_PLAYING:
        return "any state"
    if flags & MUTABLE_PAUSED:
        return "up to PAUSED"
    return "NULL, READY" if flags & MUTABLE_READY else "any state"


def number(value):
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def span(least, most):
    bounded = [value not in NO_LIMIT and abs(value) < 3e38 for value in (least, most)]
    if all(bounded):
        return f"{number(least)} to {number(most)}"
    if bounded[0]:
        return f"{number(least)} or more"
    return f"{number(most)} or less" if bounded[1] else ""


def table(head, rows):
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def code(text):
    return f"`{text}`" if text else ""


def passed_on(elements, name, order):
    """Returns the properties of a bin that are described elsewhere, by element. A bin forwards some properties to its
    elements, and shares others with the bin that is described before it."""
    others = [other for other in order if not other.endswith("bin")]
    others += [other for other in order[:order.index(name)] if other.endswith("bin")]
    rows = elements.properties(name) if name.endswith("bin") else []
    owners = {}
    for other in others:
        for row in elements.properties(other):
            if row in rows:
                owners.setdefault(row, other)
    return owners


def pad_list(elements, name):
    out, before = "", None
    for pad, there, caps in elements.pads(name):
        text = f"- Pad `{pad}`, {there}: {'the same' if caps == before else caps}"
        out += textwrap.fill(text, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False) + "\n"
        before = caps
    return out


def part_of_element(elements, name, order):
    out = f"{elements.metadata(name, 'description')}. Class: {elements.metadata(name, 'klass')}.\n\n"
    out += pad_list(elements, name)
    elsewhere = passed_on(elements, name, order)
    rows = [row for row in elements.properties(name) if row not in elsewhere]
    if rows:
        out += "\n" + table(("property", "type", "default", "range", "set in", "description"), [
            (code(row_name), kind, code(default), limits, states, blurb)
            for row_name, kind, limits, default, states, blurb in rows])
    if elsewhere:
        out += "\nProperties that are described with other elements:\n\n"
        for other in sorted(set(elsewhere.values()), key=order.index):
            names = ", ".join(code(row[0]) for row in elements.properties(name) if elsewhere.get(row) == other)
            text = f"- [{other}](#{other}): {names}"
            out += textwrap.fill(text, 120, subsequent_indent="  ", break_on_hyphens=False) + "\n"
    if elements.signals(name):
        out += "\n" + table(("signal", "kind", "arguments", "returns"), [
            (code(signal), kind, code(arguments), code(result))
            for signal, kind, arguments, result in elements.signals(name)])
    return out


def generated(elements, text):
    missing = set(elements.factories) - {match[2] for match in PART.finditer(text)}
    if missing:
        sys.exit(f"error: docs/elements.md has no part for {', '.join(sorted(missing))}: add <!-- elements-doc: NAME -->"
                 " and <!-- /elements-doc -->, each a line")

    order = [match[2] for match in PART.finditer(text) if match[2] in elements.factories]

    def part(match):
        name = match[2]
        if name == "formats":
            body = textwrap.fill(", ".join(elements.formats()), 120) + "\n"
        elif name in elements.factories:
            body = part_of_element(elements, name, order)
        else:
            return match[0]
        return match[1] + "\n" + body + "\n" + match[4]

    return PART.sub(part, text)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 1:
        sys.exit("usage: ci/elements-doc.py BUILD_DIR [--check]")
    with open(DOCUMENT, encoding="utf-8") as document:
        text = document.read()
    result = generated(Elements(os.path.abspath(arguments[0])), text)
    if "--check" not in sys.argv:
        with open(DOCUMENT, "w", encoding="utf-8") as document:
            document.write(result)
    elif result != text:
        sys.stdout.writelines(difflib.unified_diff(text.splitlines(True), result.splitlines(True), "docs/elements.md",
                                                   "what the elements say"))
        sys.exit("docs/elements.md is out of date: run ci/elements-doc.py BUILD_DIR")


if __name__ == "__main__":
    main()
