//! Which chapters come before which: what the pages say, checked against the order of the book, and drawn.

use std::collections::HashSet;
use std::path::Path;

use figures::Node;

use crate::fault::{Fault, Problem};
use crate::front::FrontPage;

/// The graph of the chapters among `pages`, which stand in their order, and what is wrong with it.
pub(crate) fn graph(src: &Path, pages: &[FrontPage]) -> (String, Vec<Fault>) {
    let chapters: Vec<&FrontPage> = pages.iter().filter(|page| page.number().is_some()).collect();
    let mut faults = Vec::new();
    let mut nodes: Vec<Node> = Vec::new();
    // All that a chapter needs, directly and not, by its place in the list.
    let mut above: Vec<HashSet<usize>> = Vec::new();
    for (place, page) in chapters.iter().enumerate() {
        let mut needs = Vec::new();
        for need in &page.front.needs {
            let at = need.span().start;
            match chapters.iter().position(|other| other.name == **need.get_ref()) {
                Some(earlier) if earlier < place => needs.push((earlier, at)),
                Some(_) => {
                    let what = format!("needs `{}`, which does not come before it", need.get_ref());
                    faults.push(page.fault(src, Problem::new(what), at));
                }
                None => {
                    let what = format!("needs `{}`, which is no chapter", need.get_ref());
                    faults.push(page.fault(src, Problem::new(what), at));
                }
            }
        }
        if place > 0 && page.front.needs.is_empty() {
            let problem = Problem::new("this chapter does not say which ones come before it");
            let help = "its front matter has `needs`, such as `needs = [\"ch01-look\"]`";
            faults.push(page.fault(src, problem.help(help), 0));
        }
        for (need, at) in &needs {
            let through = needs.iter().find(|(other, _)| above[*other].contains(need));
            if let Some((through, _)) = through {
                let (need, through) = (&chapters[*need].name, &chapters[*through].name);
                let what = format!("needs `{need}` already, because it needs `{through}`");
                faults.push(page.fault(src, Problem::new(what).help("leave it out"), *at));
            }
        }
        let needs: Vec<usize> = needs.into_iter().map(|(need, _)| need).collect();
        let inherited = needs.iter().flat_map(|need| above[*need].iter().copied());
        above.push(inherited.chain(needs.iter().copied()).collect());
        let number = page.number().unwrap_or_default().to_string();
        nodes.push(Node { number, name: page.slug().to_owned(), needs });
    }
    let caption = "A chapter stands below those that it needs. What is not joined can be taught in any order.";
    (figures::graph(&nodes, "prerequisites", caption), faults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front;

    fn faults(needs: [&str; 3]) -> String {
        let pages: Vec<FrontPage> = (["ch01-look", "ch02-unshare", "ch03-clone"].iter().zip(needs))
            .map(|(name, needs)| {
                let text = format!("<!-- front matter\nneeds = [{needs}]\n-->\n");
                front::parse(&Path::new(name).with_extension("md"), &text).unwrap()
            })
            .collect();
        let (html, faults) = graph(Path::new("src"), &pages);
        assert!(html.starts_with("<figure class=\"steps\" id=\"fig-prerequisites\""));
        faults.iter().map(|fault| format!("{fault}\n")).collect()
    }

    #[test]
    fn the_graph_follows_the_order_of_the_chapters() {
        assert_eq!(faults(["", "'ch01-look'", "'ch02-unshare'"]), "");
        assert_eq!(
            faults(["'ch02-unshare'", "'ch01-look'", "'ch02-unshare'"]),
            "src/ch01-look.md:2: needs `ch02-unshare`, which does not come before it\n"
        );
        assert_eq!(
            faults(["", "'ch01-look'", "'ch02-unshare', 'ch01-look'"]),
            "src/ch03-clone.md:2: needs `ch01-look` already, because it needs `ch02-unshare`\n\
             help: leave it out\n"
        );
        assert_eq!(
            faults(["", "'ch09-x'", "'ch02-unshare'"]),
            "src/ch02-unshare.md:2: needs `ch09-x`, which is no chapter\n"
        );
        assert!(faults(["", "", "'ch02-unshare'"]).contains("does not say which ones"));
    }
}
