module List exposing (cons, (::))

{-| A stub.

@docs cons, (::)

-}

infix right 5 (::) = cons


{-| -}
cons : a -> List a -> List a
cons _ list =
    list
