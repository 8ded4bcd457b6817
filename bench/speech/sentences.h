// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is said in the measurements of the detectors. A third begins with f, h, m, s or w, whose first
// milliseconds are faint, and a third ends in a vowel or nasal that fades: the hard cases for a boundary.
#pragma once

#include <array>
#include <string_view>

namespace linecheck::bench {

inline constexpr std::array<std::string_view, 48> kSentences{
    // Faint beginnings.
    "Fifteen people have called about it.",
    "Hello, how can I help you today?",
    "Maybe we should talk about the price first.",
    "Seven o'clock would suit me best.",
    "Which day would you like to come in?",
    "Four of them are already booked.",
    "Have you been with us before?",
    "My manager will call you back.",
    "Some of these dates are no longer free.",
    "We are closed on public holidays.",
    "For that I need your account number.",
    "He will be there at half past ten.",
    "Most customers choose the second plan.",
    "Sure, let me look that up.",
    "Would you mind spelling that for me?",
    "Fine, then that is settled.",
    // Fading ends.
    "Could you tell me your name?",
    "The doctor is free in the afternoon.",
    "That is all I have for tomorrow.",
    "Please enter your code and press the star key now.",
    "I can offer you an appointment at nine.",
    "Let me see what I can do.",
    "The total comes to thirty dollars and you pay at the end of the term.",
    "Your order is on its way to the new home.",
    "Do you want to change it or leave it as before?",
    "Our office is just across the river.",
    "The line is rather bad, please say it again.",
    "It takes about a week to arrive by plane.",
    "You will get an email from the team.",
    "Okay, that is no problem at all, so go.",
    "There is nothing else that I can see.",
    "Thank you for calling and have a good evening.",
    // Everything else.
    "Booking number two is confirmed.",
    "Good morning, Riverside Clinic.",
    "Press one for sales, two for support.",
    "Tuesday at three is still available.",
    "Can you repeat the last four digits?",
    "Yes, that's correct.",
    "The payment did not go through, because the card has expired.",
    "Please hold the line while I check.",
    "Just a second, please.",
    "Unfortunately that is not possible at short notice.",
    "Do you accept the terms and conditions?",
    "All right, that has been cancelled. Is there anything else that you want?",
    "Both of them cost the same amount.",
    "Credit cards are accepted.",
    "Does that work for your project?",
    "Goodbye, and take care of your back.",
};

}  // namespace linecheck::bench
