// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "scheduler/yaml_source.h"

namespace linecheck::scheduler {
namespace {

constexpr std::size_t kMaxAnchoredNodes = 50'000;  // what may carry names, nested ones counted each time
constexpr int kMaxDuplicatesReported = 20;

/// Ends the parsing of a file.
struct Stop {
  std::size_t offset;
  std::string message;
};

std::size_t offset_of(const YAML::Mark& mark) {
  return mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos);
}

struct Extent {
  std::size_t nodes = 1;
  int depth = 0;  // maps and lists on the longest way down
};

Extent extent_of(const Node& node) {
  Extent extent;
  const auto add = [&](const Node& child) {
    const Extent inner = extent_of(child);
    extent.nodes += inner.nodes;
    extent.depth = std::max(extent.depth, inner.depth);
  };
  for (const Node& item : node.items) add(item);
  for (const Node::Entry& entry : node.entries) add(entry.value);
  if (node.kind == Node::Kind::map || node.kind == Node::Kind::sequence) ++extent.depth;
  return extent;
}

/// Builds the documents from the parser's events.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const YamlSource& source, Problems& problems) : source_(source), problems_(problems) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    const std::size_t at = offset_of(mark);
    if (started_ && !separated(at)) {
      throw Stop{at, "unexpected text after the end of the document (its indentation may be wrong)"};
    }
    started_ = true;
    anchors_.clear();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::size_t at = offset_of(mark);
    if (wants_key()) throw Stop{at, "a key is missing before ':'"};
    if (!frames_.empty() && frames_.back().has_key && at == frames_.back().key_offset) no_colon(at);
    Node node = make(Node::Kind::null, at);
    if (!frames_.empty() && frames_.back().has_key && node.line > frames_.back().key.line) {
      node.line = frames_.back().key.line;  // an empty value is marked where the next thing begins
      node.column = frames_.back().key.column;
    }
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::size_t at = offset_of(mark);
    last_ = at;
    if (wants_key()) throw Stop{at, "an alias can't be a key"};
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Stop{at, "this alias stands inside the value that it repeats"};
    const auto& [node, extent] = found->second;
    aliased_ += extent.nodes;
    if (aliased_ > kMaxAliasNodes) {
      throw Stop{at, "aliases repeat more than " + std::to_string(kMaxAliasNodes) + " values"};
    }
    if (frames_.size() + static_cast<std::size_t>(extent.depth) > kMaxDepth) too_deep(at);
    count(extent.nodes, at);
    add(Node(node), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const std::size_t at = offset_of(mark);
    check_tag(tag, at);
    const bool plain = tag == "?";
    if (!plain) remember_scalar(at);
    last_ = at;
    if (wants_key()) {
      if (anchor != 0) throw Stop{at, "a key can't carry an anchor"};
      open_key(value, at);
      return;
    }
    Node node = make(Node::Kind::scalar, at);
    node.plain = plain;
    node.text = value;
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(Node::Kind::sequence, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(Node::Kind::map, mark, tag, anchor, style);
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] std::vector<Node> take_documents() { return std::move(documents_); }
  [[nodiscard]] const auto& scalars() const { return scalars_; }

  /// What to tell about an error of the parser's.
  [[nodiscard]] Stop explain(const YAML::Exception& error) const {
    const std::size_t at = offset_of(error.mark);
    const std::string& what = error.msg;
    const auto begins = [&](std::string_view start) { return what.starts_with(start); };
    if (begins("end of sequence flow") || begins("end of map flow")) {
      for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
        const char bracket = frame->offset < source_.text().size() ? source_.text()[frame->offset] : ' ';
        if (bracket == '[' || bracket == '{') {
          return {frame->offset, never_closed(bracket)};
        }
      }
    }
    if (!scalars_.empty() && at >= scalars_.back().second) {
      const auto& [begin, end] = scalars_.back();
      const bool same_line = source_.place(end - 1).line == source_.place(at).line;
      if (same_line && source_.place(begin).line != source_.place(end - 1).line) {
        return {begin, "this quote ends on line " + std::to_string(source_.place(end - 1).line) +
                           ", where more text follows it: is a closing quote missing?"};
      }
      if (same_line && begins("end of map not found")) {
        return {at, "unexpected text after the closing quote (is it in the right place?)"};
      }
    }
    if (begins("illegal map value")) {
      return {
          at,
          "a ':' can't stand here: the indentation is wrong, the line above lacks its ':', or a text that "
          "holds ': ' needs quotes"};
    }
    if (begins("end of map not found") || begins("end of sequence not found")) {
      return {at, "unexpected text here: is its indentation the same as that of its neighbours?"};
    }
    if (begins("illegal EOF in scalar")) return {last_, "a quote is never closed"};
    if (begins("unknown token") && at < source_.text().size()) {
      if (source_.text()[at] == '\t') return {at, "a tab can't be used as indentation: use spaces"};
      return {at, std::string("a value can't begin with '") + source_.text()[at] + "': put it in quotes"};
    }
    if (begins("the referenced anchor is not defined")) return {at, "this alias names no anchor above it"};
    if (begins("illegal document indicator in scalar")) {
      return {at, "a document marker stands inside of quotes: is a closing quote missing?"};
    }
    if (begins("illegal flow end")) return {at, "a closing bracket that nothing opened"};
    if (begins("illegal block entry")) return {at, "a '-' can't stand here: check the indentation"};
    if (begins("illegal map key")) return {at, "a key can't stand here: check the indentation"};
    if (begins("unknown escape character") || begins("bad character found while scanning hex") ||
        begins("invalid unicode")) {
      return {at, "bad escape in double quotes (" + what + "): write a backslash as \\\\"};
    }
    return {at, "not valid YAML: " + what};
  }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    std::size_t offset = 0;
    bool has_key = false;
    bool repeated = false;  // the value of a repeated key is read and dropped
    Node::Entry key;
    std::size_t key_offset = 0;
    std::unordered_map<std::string, int> lines{};  // of the keys so far
  };

  [[nodiscard]] bool wants_key() const {
    return !frames_.empty() && frames_.back().node.kind == Node::Kind::map && !frames_.back().has_key;
  }

  [[nodiscard]] bool separated(std::size_t at) const {
    const std::string& text = source_.text();
    if (text.compare(at, 3, "---") == 0) return true;
    const auto end = text.find("\n...", std::min(last_, text.size()));
    return end != std::string::npos && end < at;
  }

  Node make(Node::Kind kind, std::size_t at) {
    count(1, at);
    const YamlSource::Place place = source_.place(at);
    Node node;
    node.kind = kind;
    node.line = place.line;
    node.column = place.column;
    node.file = source_.file();
    return node;
  }

  void count(std::size_t nodes, std::size_t at) {
    nodes_ += nodes;
    if (nodes_ > kMaxNodes) throw Stop{at, "more than " + std::to_string(kMaxNodes) + " values in one file"};
  }

  [[noreturn]] void no_colon(std::size_t at) const {
    for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
      if (source_.bracket_is_open(frame->offset)) {
        throw Stop{frame->offset, never_closed(source_.text()[frame->offset])};
      }
    }
    throw Stop{at,
               "'" + frames_.back().key.key + "' stands where a key is expected, without a ':' and a value"};
  }

  static std::string never_closed(char bracket) {
    return std::string("'") + bracket + "' is never closed, or a comma is missing in it";
  }

  [[noreturn]] static void too_deep(std::size_t at) {
    throw Stop{at, "nested deeper than " + std::to_string(kMaxDepth) + " levels"};
  }

  static void check_tag(const std::string& tag, std::size_t at) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Stop{at, "explicit tags such as !!str are not supported: quotes make a text"};
    }
  }

  void remember_scalar(std::size_t at) {
    const auto end = source_.quote_end(at);
    if (end && *end == std::string::npos) throw Stop{at, "this quote is never closed"};
    scalars_.emplace_back(at, end ? *end : source_.block_end(at));
  }

  void open_key(const std::string& value, std::size_t at) {
    Frame& frame = frames_.back();
    const YamlSource::Place place = source_.place(at);
    frame.key = {value, place.line, place.column, {}};
    frame.key_offset = at;
    frame.has_key = true;
    const auto [first, fresh] = frame.lines.try_emplace(value, place.line);
    frame.repeated = !fresh;
    if (!fresh && ++duplicates_ <= kMaxDuplicatesReported) {
      problems_.push_back(
          {source_.mark(at), "",
           "duplicate key '" + value + "' (first on line " + std::to_string(first->second) + ")"});
    }
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value /*style*/) {
    const std::size_t at = offset_of(mark);
    check_tag(tag, at);
    last_ = at;
    if (wants_key()) {
      if (source_.bracket_is_open(at)) throw Stop{at, never_closed(source_.text()[at])};
      throw Stop{at, "a map or a list can't be a key"};
    }
    if (frames_.size() >= kMaxDepth) too_deep(at);
    Frame frame;
    frame.node = make(kind, at);
    frame.anchor = anchor;
    frame.offset = at;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Node node = std::move(frames_.back().node);
    const YAML::anchor_t anchor = frames_.back().anchor;
    frames_.pop_back();
    add(std::move(node), anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      const Extent extent = extent_of(node);
      anchored_ += extent.nodes;
      if (anchored_ > kMaxAnchoredNodes) {
        throw Stop{last_, "anchors name more than " + std::to_string(kMaxAnchoredNodes) + " values"};
      }
      anchors_[anchor] = {node, extent};
    }
    if (frames_.empty()) {
      documents_.push_back(std::move(node));
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Node::Kind::sequence) {
      frame.node.items.push_back(std::move(node));
      return;
    }
    frame.has_key = false;
    if (frame.repeated) return;
    frame.key.value = std::move(node);
    frame.node.entries.push_back(std::move(frame.key));
  }

  const YamlSource& source_;
  Problems& problems_;
  std::vector<Node> documents_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, std::pair<Node, Extent>> anchors_;
  std::vector<std::pair<std::size_t, std::size_t>> scalars_;  // quoted and block scalars
  std::size_t last_ = 0;                                      // where the last event was
  std::size_t nodes_ = 0;
  std::size_t aliased_ = 0;
  std::size_t anchored_ = 0;
  int duplicates_ = 0;
  bool started_ = false;
};

std::optional<Node> only_document(std::vector<Node> documents, const std::string& name,
                                  std::size_t problems_before, Problems& problems) {
  if (documents.size() > 1) {
    problems.push_back({documents[1].mark(), "", "one document is expected here, and this is a second one"});
    return std::nullopt;
  }
  if (documents.empty()) {
    if (problems.size() == problems_before) problems.push_back({{name, 1, 1}, "", "holds nothing"});
    return std::nullopt;
  }
  return std::move(documents.front());
}

}  // namespace

std::vector<Node> parse_documents(std::string_view text, const std::string& name, Problems& problems) {
  const auto source = YamlSource::open(text, name, problems);
  if (!source) return {};
  Builder builder(*source, problems);
  std::optional<Stop> stop;
  try {
    std::istringstream stream(source->text());
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& reason) {
    stop = reason;
  } catch (const YAML::Exception& error) {
    stop = builder.explain(error);
  }
  // A tab often is why the parser failed further down, and then it is the only thing worth saying.
  const bool tabs =
      source->check_tabs(builder.scalars(), stop ? stop->offset + 1 : source->text().size(), problems);
  if (stop && !tabs) problems.push_back({source->mark(stop->offset), "", stop->message});
  auto documents = builder.take_documents();
  if (documents.empty() && !stop && !tabs) {
    problems.push_back({{name, 1, 1}, "", "is empty"});
  }
  return documents;
}

std::vector<Node> load_documents(const std::filesystem::path& path, Problems& problems) {
  const std::string name = path.string();
  const auto fail = [&](const std::string& message) {
    problems.push_back({{name, 1, 1}, "", message});
    return std::vector<Node>{};
  };
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return fail("no such file");
  if (error) return fail("can't be read: " + error.message());
  if (std::filesystem::is_directory(status)) return fail("is a directory, not a file");
  if (!std::filesystem::is_regular_file(status)) return fail("is not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(std::string("can't be read: ") + std::strerror(errno));
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail("can't be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse_documents(text, name, problems);
}

std::optional<Node> load_document(const std::filesystem::path& path, Problems& problems) {
  const std::size_t before = problems.size();
  return only_document(load_documents(path, problems), path.string(), before, problems);
}

std::optional<Node> parse_document(std::string_view text, const std::string& name, Problems& problems) {
  const std::size_t before = problems.size();
  return only_document(parse_documents(text, name, problems), name, before, problems);
}

}  // namespace linecheck::scheduler
