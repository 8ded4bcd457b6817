# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(linecheck_engine PRIVATE
  evaluation/checks.cpp
  evaluation/conclude.cpp
  evaluation/conversation_metrics.cpp
  evaluation/emodel.cpp
  evaluation/evaluate.cpp
  evaluation/heard.cpp
  evaluation/line_metrics.cpp
  evaluation/metric_catalog.cpp
  evaluation/metric_value.cpp
  evaluation/pattern.cpp
  evaluation/recording.cpp
  evaluation/signal.cpp
  evaluation/statistics.cpp
  evaluation/turns.cpp
  evaluation/words.cpp
)
