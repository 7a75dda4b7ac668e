//! Which parts of a module's variables reach an argument of a resource or data source.
//!
//! Follows references through locals, `for` expressions, `each`, dynamic blocks, splats and function calls. A reference to
//! a whole object reaches none of its fields: only a field that is named reaches.

use std::collections::{BTreeMap, BTreeSet};

use hcl::{
    Body, Expression,
    expr::{Operation, Traversal, TraversalOperator},
    template::{Directive, Element, Template},
};

/// A path into the module's variables; `*` stands for any element of a list or map.
pub(crate) type Path = Vec<String>;

/// What an expression may stand for.
#[derive(Clone, Debug)]
enum Alias {
    At(Path),
    Collection(Vec<Alias>),
}

type Scope = BTreeMap<String, Vec<Alias>>;

struct Module<'a> {
    locals: BTreeMap<&'a str, &'a Expression>,
}

/// The paths that the resources, data sources and ephemeral resources of a module use.
pub(crate) fn reached(module: &Body) -> BTreeSet<Path> {
    let locals = module.blocks().filter(|block| block.identifier() == "locals");
    let locals = locals.flat_map(|block| block.body().attributes());
    let module_locals = Module { locals: locals.map(|local| (local.key(), local.expr())).collect() };
    let mut found = BTreeSet::new();
    for block in
        module.blocks().filter(|block| ["resource", "data", "ephemeral"].contains(&block.identifier()))
    {
        let scope = module_locals.scope_of("each", block.body(), &Scope::new());
        module_locals.walk(block.body(), &scope, &mut found);
    }
    found.into_iter().map(without_elements).collect()
}

fn without_elements(mut path: Path) -> Path {
    while path.last().is_some_and(|step| step == "*") {
        path.pop();
    }
    path
}

impl Module<'_> {
    fn walk(&self, body: &Body, scope: &Scope, found: &mut BTreeSet<Path>) {
        for attribute in body.attributes() {
            self.collect(attribute.expr(), scope, found);
        }
        for block in body.blocks() {
            if block.identifier() == "dynamic" {
                let scope = self.scope_of(block.labels()[0].as_str(), block.body(), scope);
                self.walk(block.body(), &scope, found);
            } else {
                self.walk(block.body(), scope, found);
            }
        }
    }

    /// The scope inside a block with `for_each`: its iterator stands for any element.
    fn scope_of(&self, iterator: &str, body: &Body, scope: &Scope) -> Scope {
        let mut inner = scope.clone();
        if let Some(for_each) = body.attributes().find(|attribute| attribute.key() == "for_each") {
            inner.insert(iterator.to_owned(), elements(self.aliases(for_each.expr(), scope)));
        }
        inner
    }

    /// Adds every path that an expression refers to, at any depth.
    fn collect(&self, expression: &Expression, scope: &Scope, found: &mut BTreeSet<Path>) {
        for alias in self.aliases(expression, scope) {
            add(alias, found);
        }
        match expression {
            Expression::Traversal(traversal) => self.collect_traversal(traversal, scope, found),
            Expression::ForExpr(each) => {
                self.collect(&each.collection_expr, scope, found);
                let inner = self.scope_of_for(each, scope);
                for part in [Some(&each.value_expr), each.key_expr.as_ref(), each.cond_expr.as_ref()] {
                    part.into_iter().for_each(|part| self.collect(part, &inner, found));
                }
            }
            Expression::TemplateExpr(template) => {
                self.collect_template(&Template::from_expr(template).unwrap(), scope, found);
            }
            Expression::Operation(operation) => match operation.as_ref() {
                Operation::Unary(unary) => self.collect(&unary.expr, scope, found),
                Operation::Binary(binary) => {
                    self.collect(&binary.lhs_expr, scope, found);
                    self.collect(&binary.rhs_expr, scope, found);
                }
            },
            other => children(other).into_iter().for_each(|child| self.collect(child, scope, found)),
        }
    }

    fn collect_traversal(&self, traversal: &Traversal, scope: &Scope, found: &mut BTreeSet<Path>) {
        for operator in &traversal.operators {
            if let TraversalOperator::Index(index) = operator {
                self.collect(index, scope, found);
            }
        }
        match (root(traversal), self.local(traversal)) {
            (Some("local"), Some(local)) => self.collect(local, &Scope::new(), found),
            (Some(_), _) => {}
            (None, _) => self.collect(&traversal.expr, scope, found),
        }
    }

    fn collect_template(&self, template: &Template, scope: &Scope, found: &mut BTreeSet<Path>) {
        for element in template.elements() {
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(interpolation) => self.collect(&interpolation.expr, scope, found),
                Element::Directive(directive) => match directive.as_ref() {
                    Directive::If(choice) => self.collect(&choice.cond_expr, scope, found),
                    Directive::For(each) => self.collect(&each.collection_expr, scope, found),
                },
            }
        }
    }

    fn aliases(&self, expression: &Expression, scope: &Scope) -> Vec<Alias> {
        match expression {
            Expression::Variable(name) => scope.get(name.as_str()).cloned().unwrap_or_default(),
            Expression::Traversal(traversal) => self.traversal(traversal, scope),
            Expression::Parenthesis(inner) => self.aliases(inner, scope),
            Expression::Conditional(choice) => [&choice.true_expr, &choice.false_expr]
                .into_iter()
                .flat_map(|branch| self.aliases(branch, scope))
                .collect(),
            Expression::Array(items) => {
                vec![Alias::Collection(items.iter().flat_map(|item| self.aliases(item, scope)).collect())]
            }
            Expression::ForExpr(each) => {
                let inner = self.scope_of_for(each, scope);
                vec![Alias::Collection(self.aliases(&each.value_expr, &inner))]
            }
            Expression::FuncCall(call) => {
                let arguments = call.args.iter().flat_map(|argument| self.aliases(argument, scope));
                match call.name.name.as_str() {
                    "toset" | "tolist" | "tomap" | "concat" | "coalesce" | "compact" | "values" | "try" => {
                        arguments.collect()
                    }
                    "one" => elements(arguments.collect()),
                    "flatten" => vec![Alias::Collection(elements(elements(arguments.collect())))],
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    fn scope_of_for(&self, each: &hcl::expr::ForExpr, scope: &Scope) -> Scope {
        let mut inner = scope.clone();
        let items = elements(self.aliases(&each.collection_expr, scope));
        for name in each.key_var.iter().chain([&each.value_var]) {
            inner.insert(name.as_str().to_owned(), items.clone());
        }
        inner
    }

    fn traversal(&self, traversal: &Traversal, scope: &Scope) -> Vec<Alias> {
        let operators = &traversal.operators;
        match (root(traversal), operators.first()) {
            (Some("var"), Some(TraversalOperator::GetAttr(name))) => {
                follow(vec![Alias::At(vec![name.as_str().to_owned()])], &operators[1..])
            }
            (Some("local"), Some(_)) => {
                let local = self.local(traversal).map(|local| self.aliases(local, &Scope::new()));
                follow(local.unwrap_or_default(), &operators[1..])
            }
            (Some(name), Some(TraversalOperator::GetAttr(part)))
                if ["key", "value"].contains(&part.as_str()) =>
            {
                match scope.get(name) {
                    Some(items) => follow(items.clone(), &operators[1..]),
                    None => Vec::new(),
                }
            }
            (Some(name), _) => follow(scope.get(name).cloned().unwrap_or_default(), operators),
            (None, _) => follow(self.aliases(&traversal.expr, scope), operators),
        }
    }

    fn local(&self, traversal: &Traversal) -> Option<&Expression> {
        match traversal.operators.first() {
            Some(TraversalOperator::GetAttr(name)) if root(traversal) == Some("local") => {
                self.locals.get(name.as_str()).copied()
            }
            _ => None,
        }
    }
}

fn root(traversal: &Traversal) -> Option<&str> {
    match &traversal.expr {
        Expression::Variable(name) => Some(name.as_str()),
        _ => None,
    }
}

fn follow(start: Vec<Alias>, operators: &[TraversalOperator]) -> Vec<Alias> {
    operators.iter().fold(start, |aliases, operator| match operator {
        TraversalOperator::GetAttr(name) => step(aliases, name.as_str()),
        TraversalOperator::Index(_) | TraversalOperator::LegacyIndex(_) => elements(aliases),
        TraversalOperator::AttrSplat | TraversalOperator::FullSplat => {
            // What follows applies to each element: `step` looks into collections.
            aliases.into_iter().map(|alias| Alias::Collection(elements(vec![alias]))).collect()
        }
    })
}

fn step(aliases: Vec<Alias>, name: &str) -> Vec<Alias> {
    let one = |alias| match alias {
        Alias::At(path) => Alias::At([path, vec![name.to_owned()]].concat()),
        Alias::Collection(items) => Alias::Collection(step(items, name)),
    };
    aliases.into_iter().map(one).collect()
}

fn elements(aliases: Vec<Alias>) -> Vec<Alias> {
    let one = |alias| match alias {
        Alias::At(path) => vec![Alias::At([path, vec!["*".to_owned()]].concat())],
        Alias::Collection(items) => items,
    };
    aliases.into_iter().flat_map(one).collect()
}

fn add(alias: Alias, found: &mut BTreeSet<Path>) {
    match alias {
        Alias::At(path) => {
            found.insert(path);
        }
        Alias::Collection(items) => items.into_iter().for_each(|item| add(item, found)),
    }
}

fn children(expression: &Expression) -> Vec<&Expression> {
    match expression {
        Expression::Array(items) => items.iter().collect(),
        Expression::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match key {
                hcl::expr::ObjectKey::Expression(key) => vec![key, value],
                _ => vec![value],
            })
            .collect(),
        Expression::FuncCall(call) => call.args.iter().collect(),
        Expression::Parenthesis(inner) => vec![inner],
        Expression::Conditional(choice) => vec![&choice.cond_expr, &choice.true_expr, &choice.false_expr],
        _ => Vec::new(),
    }
}
